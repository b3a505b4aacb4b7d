import { startRun } from './run.ts';

/** The files of the run, each in a process of its own, learn of it by their environment. */
export default async function setUp() {
  Object.assign(process.env, await startRun());
}
