export {
  createClientOptions,
  createSessionConfig,
  type ClientContext,
  type SessionConfig,
} from './connect/client-options.js';
export { ConnectionError, connectClient, ServerError, withClient } from './connect/client.js';
export { createDataSource, type DataSourceChoices } from './connect/data-source.js';
export { DatabaseModule, openDataSource } from './connect/database.module.js';
export { DriftError, findDrift, hasDrift, type Drift } from './drift/drift.js';
export { assertIdentity, IdentityError, type IdentityClaim } from './identity/assert-identity.js';
export { readLocation, readStamp, type Location, type Queryable, type Stamp } from './identity/stamp.js';
export { migrate, type MigrateOptions, type MigrationReport } from './migrate/migrate.js';
export { migrationsHash } from './migrate/migrations-hash.js';
export { describeEvent, type MigrationEvent } from './migrate/events.js';
export {
  checkSchema,
  judgeSchema,
  pendingMigrations,
  schemaHead,
  schemaRange,
  type SchemaVerdict,
} from './migrate/schema-range.js';
export { loadPlan, loadStatus, type DatabaseStatus } from './migrate/database-status.js';
export { provision, ProvisionError, type ProvisionOptions, type ProvisionReport } from './provision/provision.js';
export { loadProvisionRecord, saveProvisionRecord, type ProvisionRecord } from './provision/provision-record.js';
export { refresh, type RefreshOptions, type RefreshReport } from './refresh/refresh.js';
export { seed, type SeedOptions, type SeedReport } from './seed/seed.js';
