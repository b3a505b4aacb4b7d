export { ENVIRONMENTS, type Environment } from './environment.js';
