import { stopTestRun } from '@airlock/database-dev/testing';

export default async function tearDown({ watch, watchAll }) {
  await stopTestRun({ isWatching: watch || watchAll });
}
