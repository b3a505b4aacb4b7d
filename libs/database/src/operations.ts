/** For commands that need a database but not an ORM: Nest and TypeORM take ten times as long to load as this file. */
export { assertIdentity, IdentityError } from './identity/assert-identity.js';
export { findBrokenBindings, readLocation, readStamp } from './identity/stamp.js';
export { type ApplicationTarget, withApplication } from './connect/application-session.js';
export { withClient } from './connect/client.js';
export { createSessionConfig } from './connect/client-options.js';
export { DriftError, findDrift, hasDrift } from './drift/drift.js';
export { describeEvent } from './migrate/events.js';
export { migrate } from './migrate/migrate.js';
export { loadLedger } from './migrate/ledger.js';
export { type DatabaseStatus, loadPlan, loadStatus } from './migrate/database-status.js';
export { createDatabase, provision, type ProvisionOptions } from './provision/provision.js';
export { loadProvisionRecord, saveProvisionRecord } from './provision/provision-record.js';
export { refresh } from './refresh/refresh.js';
export { seed } from './seed/seed.js';
