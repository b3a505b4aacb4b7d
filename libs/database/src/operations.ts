/** For commands that need a database but not an ORM: Nest and TypeORM take ten times as long to load as this file. */
export { describeBackfillEvent } from './backfill/backfill-events.js';
export { assertBackfill, loadBackfillPlan, runBackfill } from './backfill/run-backfill.js';
export { adopt, draftBaseline, inspectDatabase } from './adopt/adopt.js';
export { describeInventory } from './adopt/describe-inventory.js';
export { printClass, suggestClasses } from './adopt/suggest-classes.js';
export { withClient } from './connect/client.js';
export { type ApplicationTarget, withApplication } from './connect/application-session.js';
export { loadSchemaFile } from './drift/schema-file.js';
export { DriftError, findDrift, hasDrift } from './drift/drift.js';
export { describeEvent } from './migrate/events.js';
export { migrate } from './migrate/migrate.js';
export { type BackfillStatus, type DatabaseStatus, loadPlan, loadStatus } from './migrate/database-status.js';
export { provision, type ProvisionOptions } from './provision/provision.js';
export { loadProvisionRecord, saveProvisionRecord } from './provision/provision-record.js';
export { renderInventory } from './refresh/data-inventory.js';
export type { RowProgress } from './refresh/row-progress.js';
export { assertTakesCopies, refresh } from './refresh/refresh.js';
export { seed } from './seed/seed.js';
