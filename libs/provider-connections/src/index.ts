export { Attempts, type ReturnOutcome } from './attempts.js';
export { connectionConstraints } from './connection.constraints.js';
export { Connections } from './connections.js';
export { createConnectionParts, ProviderConnectionsModule } from './provider-connections.module.js';
export { refreshConnections } from './refresh-connections.js';
