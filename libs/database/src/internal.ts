/** For database-dev alone: the parts that it uses to create, check and reset databases. */
export { createSessionConfig, type SessionConfig } from './connect/client-options.js';
export { connectClient, withClient } from './connect/client.js';
export { createDataSource, type DataSourceChoices } from './connect/data-source.js';
export { readCatalogue } from './drift/catalogue.js';
export { findSchemaDrift, DriftError, hasDrift } from './drift/drift.js';
export { loadSchemaFile, saveSchemaFile } from './drift/schema-file.js';
export { assertIdentity } from './identity/assert-identity.js';
export { readStampFlaws } from './identity/stamp.js';
export { createRights } from './migrate/apply-migration.js';
export { migrate } from './migrate/migrate.js';
export { migrationsHash } from './migrate/migrations-hash.js';
export { assertCatalogue } from './migrate/plan.js';
export { withOwner } from './migrate/session.js';
export { DEFAULT_TIMING } from './migrate/timing.js';
export { chooseCopyStrategy } from './provision/copy-strategy.js';
export { loadProvisionRecord, type ProvisionRecord, saveProvisionRecord } from './provision/provision-record.js';
export { provision, readBootstrapSql } from './provision/provision.js';
export { seed } from './seed/seed.js';
