/** For commands that need a database but not an ORM: Nest and TypeORM take ten times as long to load as this file. */
export { withClient } from './connect/client.js';
export { type ApplicationTarget, withApplication } from './connect/application-session.js';
export { DriftError, findDrift, hasDrift } from './drift/drift.js';
export { describeEvent } from './migrate/events.js';
export { migrate } from './migrate/migrate.js';
export { loadPlan, loadStatus } from './migrate/database-status.js';
export { provision, type ProvisionOptions } from './provision/provision.js';
export { loadProvisionRecord, saveProvisionRecord } from './provision/provision-record.js';
export { renderInventory } from './refresh/data-inventory.js';
export { withFlatMemory } from './refresh/flat-memory.js';
export type { RowProgress } from './refresh/row-progress.js';
export { assertTakesCopies, refresh } from './refresh/refresh.js';
export { seed } from './seed/seed.js';
