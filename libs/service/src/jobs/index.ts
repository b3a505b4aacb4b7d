/** Declares and sends jobs: docs/jobs.md. */
export { job } from './job.js';
export { Jobs } from './job-sender.js';
export { PermanentError } from './permanent-error.js';
