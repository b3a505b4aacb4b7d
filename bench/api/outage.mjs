// Takes PostgreSQL and Redis away from the built API under load, and prints second by second what each probe said and what
// clients got. `nx run-many -t build && node --import ./tools/typescript.mjs bench/api/outage.mjs [seconds away] [case …]`
import { BUILT_API, withWorld } from './world.mjs';
import { Clients } from './outage/clients.mjs';
import { createFaults } from './outage/faults.mjs';
import { Recorder } from './outage/recorder.mjs';
import { startRedis } from './outage/redis.mjs';
import { setTimeout as sleep } from 'node:timers/promises';

const SECOND = 1_000;
const AWAY_MS = Number(process.argv[2] ?? 30) * SECOND;
const WANTED = process.argv.slice(3);
const BEFORE_MS = 3 * SECOND;
/** How long to wait for the last answer and the first full second without an error. */
const PATIENCE_MS = 40 * SECOND;
/** Those of production, but that tests decide the rest. */
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
  recorder.mark('away');
  await begin(AWAY_MS);
  recorder.mark('back');
  await end();
  recorder.mark('answering');
  await recorder.waitUntilWell(PATIENCE_MS);
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
      ? 'readyz: 200 all along'
      : `readyz: 503 after ${say(times.down)}; 200 again ${say(times.ready)} after it was back`,
    times.lastError === undefined ? 'errors: none' : `errors: the last one ${say(times.lastError)} after it was back`,
    `creates: ${clients.acknowledged.size} acknowledged, ${lost.length} of them lost; ${unacknowledged.length} made that no answer tells of`,
    `sessions at the server: ${recorder.mostSessions} at most; slowest answer ${say(clients.slowestMs)}; slowest probe ${recorder.slowestProbeMs} ms`,
    `process: ${api.child.exitCode === null ? 'the same all along' : `exited with ${api.child.exitCode}`}`,
  ];
}
