export { TestDatabase } from './fixture/test-database.js';
export { type TestDatabaseOptions, useTestDatabase, withTestDatabase } from './fixture/use-test-database.js';
export { formatReport } from './reset/report.js';
export { resetTestDatabase } from './reset/reset-test-database.js';
export type { ResetOptions, ResetReport } from './reset/run-reset.js';
