// node --import ./tools/typescript.mjs bench/jobs.mjs [jobs]
// Jobs over three workers, one of which is killed about every three seconds, while it works: none may be lost, and none done twice where the
// end belongs to its rows. Then the time from a kill to the moment at which another worker has the job.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Database } from '@airlock/service';
import { Jobs } from '@airlock/service/jobs';
import { NestFactory } from '@nestjs/core';
import { pino } from 'pino';
import { DataSource } from 'typeorm';
import { openDataSource } from '@airlock/database';
import { WorkerModule } from '../libs/service/src/app/worker.module.ts';
import { Metrics } from '../libs/service/src/telemetry/prometheus-metrics.ts';
import { Lifecycle } from '@airlock/health';
import { withWorld } from './api/world.mjs';
import { report, reportRatio } from './measure.mjs';
import { atLeast, exactly, held, product } from './jobs/product.mjs';

const COUNT = Number(process.argv[2] ?? 10_000);
const WORKERS = 3;
const KILL_EVERY_MS = 3_000;
const PER_TRANSACTION = 100;
const RECOVERIES = 5;
const version = { name: 'bench', version: '0', commit: null, builtAt: null, digest: null };

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

await withWorld({ durable: true }, async (world) => {
  await world.asAdmin((admin) =>
    admin.query(`CREATE TABLE bench_runs (kind text, key text); GRANT SELECT, INSERT ON bench_runs TO airlock_app`),
  );
  const ask = async (sql) => (await world.asAdmin((admin) => admin.query(sql))).rows;
  const { database, jobs, close } = await openSender(world);
  try {
    const startedAt = performance.now();
    await sendAll(database, jobs);
    report('sending a job, in transactions of 100', [(performance.now() - startedAt) / COUNT]);
    await runUnderKills(world, ask);
    await measureRecovery(world, { database, jobs });
  } finally {
    await close();
  }
});

async function openSender(world) {
  const config = { ...world.config, database: { ...world.config.database, poolSize: 10 } };
  const metrics = new Metrics({ lifecycle: new Lifecycle(), version });
  const logger = pino({ level: 'error' });
  const module = WorkerModule.forRoot(config, { definition: product, logger, metrics });
  const nest = await NestFactory.createApplicationContext(module, { logger: false });
  await openDataSource(nest.get(DataSource), config);
  return { database: nest.get(Database), jobs: nest.get(Jobs), close: () => nest.close() };
}

/** Each key is sent twice: the second is refused. */
async function sendAll(database, jobs) {
  for (let from = 0; from < COUNT; from += PER_TRANSACTION) {
    await database.asUser('bench', async (tx) => {
      for (let n = from; n < Math.min(COUNT, from + PER_TRANSACTION); n += 1) {
        const [declared, key] = [n % 2 === 0 ? exactly : atLeast, String(n)];
        await jobs.send(tx, declared, { key }, { key });
        if (n % 10 === 0) await jobs.send(tx, declared, { key }, { key });
      }
    });
  }
}

async function runUnderKills(world, ask) {
  const workers = Array.from({ length: WORKERS }, () => startWorker(world));
  const startedAt = performance.now();
  let kills = 0;
  for (;;) {
    await sleep(KILL_EVERY_MS);
    const [{ left }] = await ask(
      `SELECT count(*)::int AS left FROM jobs.job WHERE name IN ('bench.exactly', 'bench.at-least') AND state <> 'completed'`,
    );
    if (left === 0) break;
    const victim = kills % WORKERS;
    // A worker that is killed before it works would show nothing.
    await workers[victim].saw('working');
    workers[victim].child.kill('SIGKILL');
    workers[victim] = startWorker(world);
    kills += 1;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  for (const { child } of workers) child.kill('SIGKILL');
  const runs = await ask(
    'SELECT kind, count(*)::int AS runs, count(DISTINCT key)::int AS keys FROM bench_runs GROUP BY kind',
  );
  const of = (kind) => runs.find((row) => row.kind === kind) ?? { runs: 0, keys: 0 };
  const [{ dead }] = await ask(`SELECT count(*)::int AS dead FROM jobs.job WHERE name = 'dead-letters'`);
  console.log(`${COUNT} jobs, ${WORKERS} workers, ${kills} kills, ${seconds.toFixed(1)} s, ${dead} dead letters`);
  reportRatio('keys done at all, with finish', of('exactly').keys / (COUNT / 2), '1');
  reportRatio('rows per key, with finish', of('exactly').runs / of('exactly').keys, '1');
  reportRatio('keys done at all, without finish', of('at-least').keys / (COUNT / 2), '1');
  reportRatio('rows per key, without finish', of('at-least').runs / of('at-least').keys, '≥ 1');
  reportRatio('rows per tick of a schedule of every second', of('tick').runs / of('tick').keys, '1');
  reportRatio('ticks per second', of('tick').keys / seconds, '1');
}

/** From the kill of the only worker that runs a job, while another waits, to the begin of its next run. */
async function measureRecovery(world, { database, jobs }) {
  const durations = [];
  for (let round = 0; round < RECOVERIES; round += 1) {
    const workers = [startWorker(world), startWorker(world)];
    await Promise.all(workers.map(({ saw }) => saw('working')));
    await database.asUser('bench', (tx) => jobs.send(tx, held, { key: String(round) }));
    const holder = await Promise.race(workers.map(({ saw }, at) => saw('held.begun').then(() => at)));
    await sleep(1_000 * Math.random() * 3);
    const killedAt = performance.now();
    workers[holder].child.kill('SIGKILL');
    await workers[1 - holder].saw('held.begun');
    durations.push(performance.now() - killedAt);
    for (const { child } of workers) child.kill('SIGKILL');
    await world.asAdmin((admin) => admin.query(`DELETE FROM jobs.job WHERE name = 'bench.held'`));
  }
  report(
    'from a kill to the next run elsewhere',
    durations.sort((a, b) => a - b),
  );
}

function startWorker({ config: { database } }) {
  const { user, password, host, port, database: name } = database.app;
  const args = ['--import', path('../tools/typescript.mjs'), path('jobs/worker.mjs')];
  const child = spawn(process.execPath, args, {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      ENVIRONMENT: 'testing',
      DATABASE_URL: `postgres://${user}:${password.reveal()}@${host}:${port}/${name}`,
      MANAGEMENT_PORT: '0',
      LOG_LEVEL: 'info',
      JOB_CONCURRENCY: '4',
    },
  });
  const events = new Set();
  const waiting = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    events.add(JSON.parse(line).event);
    for (const check of waiting) check();
  });
  const saw = (event) =>
    new Promise((resolve) => {
      const check = () => events.has(event) && resolve();
      waiting.push(check);
      check();
    });
  return { child, saw };
}
