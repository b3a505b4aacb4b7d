// Every model exports the name `model` for the test servers.
export { sampleModelWithJobs as model } from './sample-with-jobs.js';
