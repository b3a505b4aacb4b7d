export { findClientTools } from '../client-tools.fixture.js';
