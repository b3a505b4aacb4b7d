import { startRun } from './run.ts';

/** Passes the run in the environment to the test files, each of which has its own process. */
export default async function setUp() {
  Object.assign(process.env, await startRun());
}
