// Makes PostgreSQL and Redis unavailable to the built API under load, and prints the probes and the responses of each
// second.
// `nx run-many -t build && node --import ./tools/typescript.mjs bench/api/outage.mjs [seconds of outage] [case …]`
import { BUILT_API, withWorld } from './world.mjs';
import { Clients } from './outage/clients.mjs';
import { createFaults } from './outage/faults.mjs';
import { Recorder } from './outage/recorder.mjs';
import { startRedis } from './outage/redis.mjs';
import { setTimeout as sleep } from 'node:timers/promises';

const SECOND = 1_000;
const OUTAGE_MS = Number(process.argv[2] ?? 30) * SECOND;
const WANTED = process.argv.slice(3);
const BEFORE_MS = 3 * SECOND;
/** The longest wait for full recovery. */
const PATIENCE_MS = 40 * SECOND;
/** The time limits of production. The other settings are those of testing. */
const LIMITS = {
  REQUEST_TIMEOUT: '25s',
  DATABASE_CONNECT_TIMEOUT: '5s',
  DATABASE_STATEMENT_TIMEOUT: '20s',
  DATABASE_LOCK_TIMEOUT: '5s',
};

await withWorld({ durable: true }, async (world) => {
  const redis = await startRedis();
  try {
    const api = await world.start('the API', [BUILT_API], { ...LIMITS, REDIS_URL: redis.url });
    const faults = createFaults(world, redis);
    const names = WANTED.length > 0 ? WANTED : Object.keys(faults);
    for (const name of names) await run(name, faults[name], { world, api });
  } finally {
    await redis.stop();
  }
});

async function run(name, { begin, end }, { world, api }) {
  const clients = await Clients.start(api.url, world.issuer.token);
  const recorder = new Recorder({ url: api.url, postmaster: () => world.cluster.dataDir, clients });
  await sleep(BEFORE_MS);
  recorder.mark('failed');
  await begin(OUTAGE_MS);
  recorder.mark('ended');
  await end();
  recorder.mark('recovered');
  await recorder.waitUntilRecovered(PATIENCE_MS);
  await clients.stop();
  recorder.stop();
  const kept = await world.asAdmin(async (client) => {
    const { rows } = await client.query('SELECT id, name FROM entities WHERE name LIKE $1', [`${clients.run} %`]);
    return rows;
  });
  recorder.print(name);
  console.log(summarize({ clients, recorder, kept, api }).join('\n'), '\n');
}

function summarize({ clients, recorder, kept, api }) {
  const ids = new Set(kept.map(({ id }) => id));
  const lost = [...clients.acknowledged].filter((id) => !ids.has(id));
  const unacknowledged = kept.filter(({ id }) => !clients.acknowledged.has(id));
  const times = recorder.times();
  const say = (ms) => `${(ms / SECOND).toFixed(1)} s`;
  return [
    times.down === undefined
      ? 'readyz: 200 throughout'
      : `readyz: 503 after ${say(times.down)}; 200 again ${say(times.ready)} after the end of the fault`,
    times.lastError === undefined
      ? 'errors: none'
      : `errors: the last one ${say(times.lastError)} after the end of the fault`,
    `creates: ${clients.acknowledged.size} acknowledged, ${lost.length} of them lost; ${unacknowledged.length} executed without an acknowledgement`,
    `sessions at the server: ${recorder.mostSessions} at most; slowest response ${say(clients.slowestMs)}; slowest probe ${recorder.slowestProbeMs} ms`,
    `process: ${api.child.exitCode === null ? 'never restarted' : `exited with ${api.child.exitCode}`}`,
  ];
}
