export { formatReport } from './reset-report.js';
export { resetTestDatabase } from './reset-test-database.js';
