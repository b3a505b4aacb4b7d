export { Attempts, type ReturnOutcome } from './attempts.js';
export { connectionConstraints } from './connection.constraints.js';
export { Connections } from './connections.js';
export { ProviderConnectionsModule } from './provider-connections.module.js';
export { ConnectionUpkeep } from './refresh-connections.js';
