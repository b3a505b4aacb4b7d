// Runs a migrator in its own process, so that a test can kill it. Prints each event as a line of JSON.
import { accountMigrations } from './accounts.fixture.js';
import { migrate } from './migrate.js';
import { createScratchConfig } from './scratch-config.fixture.js';

const [port, database, lockTimeoutMs] = process.argv.slice(2);

await migrate({
  config: createScratchConfig(Number(port), String(database), 'testing'),
  migrations: accountMigrations,
  timing: { lockTimeoutMs: Number(lockTimeoutMs), lockPollMs: 20, heartbeatMs: 50 },
  onEvent: (event) => console.log(JSON.stringify(event)),
});
