// Starts the servers for the tests of one Jest run; see libs/database/src/testing.
import { startTestRun } from '../../libs/database/src/testing/run/global-setup.ts';

export default async function setUp({ maxWorkers }) {
  await startTestRun({ maxWorkers });
}
