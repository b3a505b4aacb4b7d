export { Keyring } from '../keyring.js';
export { useConnections } from './use-connections.fixture.js';
