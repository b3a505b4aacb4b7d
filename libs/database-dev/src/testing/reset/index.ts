export { formatReport } from './report.js';
export { resetTestDatabase } from './reset-test-database.js';
export type { ResetOptions, ResetReport } from './run-reset.js';
