// Runs a migrator in its own process, which a test kills. Prints each event as a line of JSON, and does not go on after the
// event that the test names: a slow test kills it there too.
import { writeSync } from 'node:fs';
import { accountMigrations } from './accounts.fixture.js';
import type { MigrationEvent } from './events.js';
import { migrate } from './migrate.js';
import { createScratchConfig } from './scratch-config.fixture.js';

const [port, database, lockTimeoutMs, stopAt = '{}'] = process.argv.slice(2);
const last = Object.entries(JSON.parse(stopAt) as Partial<MigrationEvent>);

await migrate({
  config: createScratchConfig(Number(port), String(database), 'testing'),
  migrations: accountMigrations,
  timing: { lockTimeoutMs: Number(lockTimeoutMs), lockPollMs: 20, heartbeatMs: 50 },
  onEvent: (event) => {
    writeSync(1, `${JSON.stringify(event)}\n`);
    if (last.length > 0 && last.every(([key, value]) => event[key as keyof MigrationEvent] === value)) stop();
  },
});

function stop(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
