import { stopTestRun } from '../../libs/database/src/testing/run/global-setup.ts';

export default async function tearDown({ watch, watchAll }) {
  await stopTestRun({ isWatching: watch || watchAll });
}
