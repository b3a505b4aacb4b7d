import { stopTestRun } from '@airlock/database-dev/testing/run';

export default async function tearDown({ watch, watchAll }) {
  await stopTestRun({ isWatching: watch || watchAll });
}
