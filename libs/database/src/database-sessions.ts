/** For libraries that handle whole databases: sessions, identity, and what a database contains. */
export { withClient } from './connect/client.js';
export { createSessionConfig } from './connect/client-options.js';
export { assertIdentity } from './identity/assert-identity.js';
export { findBrokenBindings, readLocation, readStamp } from './identity/stamp.js';
export { loadLedger } from './runner/ledger.js';
export { createDatabase } from './provision/provision.js';
