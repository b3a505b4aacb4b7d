export { useConnections } from './use-connections.fixture.js';
