export { Attempts, type ReturnOutcome } from './attempts.js';
export { connectionConstraints } from './connection.constraints.js';
export { type Connection, Connections } from './connections.js';
export { Keyring } from './keyring.js';
export { ProviderConnectionsModule } from './provider-connections.module.js';
export { Providers } from './providers.js';
export { refreshConnections, type RefreshReport } from './refresh-connections.js';
export { Renewal } from './renewal.js';
