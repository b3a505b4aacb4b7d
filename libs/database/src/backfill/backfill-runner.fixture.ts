// Runs a backfill in its own process, which a test kills. Prints each event as a line of JSON.
import { writeSync } from 'node:fs';
import { createScratchConfig } from '../migrate/scratch-config.fixture.js';
import { before, fillNickname, SHORT_LIMITS } from './people.fixture.js';
import { runBackfill } from './run-backfill.js';

const [port, database, lockTimeoutMs] = process.argv.slice(2);

await runBackfill({
  config: createScratchConfig(Number(port), String(database), 'staging'),
  migrations: before,
  backfills: [fillNickname],
  name: fillNickname.name,
  limits: { ...SHORT_LIMITS, lockTimeoutMs: Number(lockTimeoutMs) },
  onEvent: (event) => writeSync(1, `${JSON.stringify(event)}\n`),
});
