// Starts the servers for the tests of one Jest run; see libs/database-dev/src/testing.
import { debuglog } from 'node:util';
import { startTestRun } from '@airlock/database-dev/testing/run';

export default async function setUp({ maxWorkers }, { testEnvironmentOptions }) {
  try {
    const { model } = await import(testEnvironmentOptions.model);
    await startTestRun({ maxWorkers, model });
  } catch (error) {
    // Jest would print the stack before the message. Servers that were started end with this process.
    console.error(`\n${error.message}`);
    debuglog('airlock')('%O', error);
    process.exit(1);
  }
}
