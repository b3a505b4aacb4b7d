// The entry point of the checks of migrations, for the workspace. No image contains it.
export { checkTemplate } from './check-template.js';
export { listRules } from '../lint/lint-exceptions.js';
export { lintFiles } from '../lint/lint-files.js';
export { describeFinding, lintMigrations } from '../lint/lint.js';
export { describeTraces } from '../lint/trace/statement-trace.js';
export { recordRelease, loadReleased } from '../lint/released.js';
