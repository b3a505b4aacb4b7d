// node --import ./tools/typescript.mjs bench/refresh.mjs [rows] [folder of pg_dump 18]
// A refresh of thirteen tables with every type, against pg_dump | pg_restore of the same data on the same server, in turns.
// Other load on the machine slows both down, and the one with more work more: the ratio of processor time does not depend on it.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createSessionConfig, migrate, provision, withClient } from '@airlock/database/internal';
import { startCluster } from '@airlock/embedded-postgres';
import { createConfig, makeCopy } from '../libs/database/src/refresh/refresh.fixture.ts';
import { createAddresses } from '../libs/database/src/provision/provision.fixture.ts';
import { reportRatio } from './measure.mjs';
import { fill, model, PERSONAL } from './refresh/world.mjs';

const ROWS = Number(process.argv[2] ?? 1_000_000);
const TOOLS = process.argv[3] ?? '/usr/lib/postgresql/18/bin';
const ROUNDS = 2;
const TICKS_PER_SECOND = 100;
const folder = mkdtempSync('/dev/shm/bench-refresh-');
const cluster = await startCluster({ dataDir: `${folder}/data`, durable: true });
let last;
const context = { config: createSessionConfig('testing'), purpose: 'bench' };
const inside = (database, use) => withClient({ ...cluster.superuser, database }, context, use);

try {
  const [source, target] = [
    createAddresses(cluster, 'original', 'production'),
    createAddresses(cluster, 'copied', 'staging'),
  ];
  for (const made of [source, target]) {
    await provision(made);
    await migrate({ config: createConfig(made), migrations: model.migrations });
  }
  await makeCopy(source);
  const rows = await inside('original', async (client) => {
    await client.query('SET statement_timeout = 0');
    for (const sql of fill(ROWS)) await client.query(sql);
    await client.query('CHECKPOINT');
    await client.query('ALTER SYSTEM SET autovacuum = off');
    await client.query('SELECT pg_reload_conf()');
    const { rows: counted } = await client.query(
      `SELECT sum(reltuples)::int AS rows FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
    );
    return counted[0].rows;
  });
  const times = { plain: [], refresh: [] };
  const cpu = { plain: [], refresh: [] };
  const pseudonyms = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = await readCpuSeconds();
    times.plain.push(await dumpAndRestore());
    const between = await readCpuSeconds();
    last = await runRefresh();
    times.refresh.push(last.seconds);
    cpu.plain.push(between - started);
    cpu.refresh.push((await readCpuSeconds()) - between);
    pseudonyms.push(await readPseudonyms());
    console.log(
      JSON.stringify({
        round,
        plain: times.plain.at(-1),
        refresh: last.seconds,
        plainCpu: cpu.plain.at(-1),
        serverCpu: cpu.refresh.at(-1),
        processCpu: last.cpuSeconds,
        peak: last.peak,
        baseline: last.baseline,
        scanned: last.scannedColumns,
      }),
    );
  }
  const best = (list) => Math.min(...list);
  console.log(`${rows} rows, ${Math.round(rows / best(times.refresh))} rows/s`);
  reportRatio('rows/s of a refresh, of pg_dump | pg_restore', best(times.plain) / best(times.refresh), 'at least 0.5');
  const work = best(cpu.refresh) + last.cpuSeconds;
  console.log(
    `processor time: ${best(cpu.plain).toFixed(1)} s of the server, of a refresh ${work.toFixed(1)} s in all`,
  );
  console.log(`peak memory ${Math.round(last.peak)} MB, of which ${Math.round(last.baseline)} before the first row`);
  console.log(`values of the source in personal columns: ${await countShared()}`);
  console.log(
    `keys that do not hold: ${await countInvalid()}, tables with another number of rows: ${await countShort()}`,
  );
  console.log(
    `same pseudonyms in both runs: ${pseudonyms[0] === pseudonyms[1]}, and across tables: ${await countJoined()} orders join`,
  );
} finally {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Of the server and every session of it that has ended. pg_dump and pg_restore themselves take little. */
async function readCpuSeconds() {
  await sleep(500);
  const [pid] = readFileSync(`${folder}/data/postmaster.pid`, 'utf8').split('\n');
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]) / TICKS_PER_SECOND, 0);
}

async function dumpAndRestore() {
  await inside('postgres', (client) => client.query('DROP DATABASE IF EXISTS plain WITH (FORCE)'));
  await inside('postgres', (client) => client.query('CREATE DATABASE plain TEMPLATE template0'));
  const env = { PGPASSWORD: cluster.superuser.password.reveal() };
  const at = `--host=127.0.0.1 --port=${cluster.port} --username=postgres`;
  const startedAt = performance.now();
  // Compression would slow down a pipe on one machine.
  execFileSync(
    'sh',
    [
      '-c',
      `${TOOLS}/pg_dump ${at} -Fc --compress=0 --no-owner --no-acl original | ${TOOLS}/pg_restore ${at} --no-owner --no-acl --dbname=plain`,
    ],
    {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  return (performance.now() - startedAt) / 1000;
}

async function runRefresh() {
  const settings = {
    port: cluster.port,
    password: cluster.superuser.password.reveal(),
    source: 'original',
    target: 'copied',
  };
  const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
  const child = spawn(
    process.execPath,
    ['--import', path('../tools/typescript.mjs'), path('refresh/run.mjs'), JSON.stringify(settings)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`the refresh ended with ${code}`);
  return JSON.parse(text);
}

/** Independent of the refresh's own scan: hashes of every value, compared in SQL. */
async function countShared() {
  let shared = 0;
  for (const [table, columns] of Object.entries(PERSONAL))
    for (const column of columns) {
      const read = `SELECT DISTINCT md5(lower(v)) AS hash FROM (SELECT ${column} AS v FROM ${table}) x WHERE v IS NOT NULL`;
      const { rows } = await inside('original', (client) =>
        client.query(`SET statement_timeout = 0; ${read}`).then(([, result]) => result),
      );
      const found = await inside('copied', async (client) => {
        await client.query('SET statement_timeout = 0; CREATE TEMP TABLE s (hash text)');
        await client.query('INSERT INTO s SELECT unnest($1::text[])', [rows.map(({ hash }) => hash)]);
        return (await client.query(`SELECT count(*)::int AS n FROM (${read}) t JOIN s USING (hash)`)).rows[0].n;
      });
      if (found > 0) console.log(`  ${table}.${column}: ${found}`);
      shared += found;
    }
  return shared;
}

function readPseudonyms() {
  return inside(
    'copied',
    async (client) =>
      (
        await client.query(
          `SELECT md5(string_agg(id || user_id || email || coalesce(points, 0), ',' ORDER BY id)) AS all FROM people`,
        )
      ).rows[0].all,
  );
}

async function countInvalid() {
  return inside(
    'copied',
    async (client) =>
      (await client.query('SELECT count(*)::int AS n FROM pg_constraint WHERE NOT convalidated')).rows[0].n,
  );
}

async function countShort() {
  const counts = await inside('original', (client) => countEach(client));
  const copied = await inside('copied', (client) => countEach(client));
  return Object.keys(last.rows).filter((table) => counts[table] !== copied[table]).length;
}

async function countEach(client) {
  const counts = {};
  for (const table of Object.keys(last.rows))
    counts[table] = (await client.query(`SELECT count(*)::int AS n FROM ${table}`)).rows[0].n;
  return counts;
}

function countJoined() {
  return inside(
    'copied',
    async (client) =>
      (
        await client.query(
          'SELECT count(*)::int AS n FROM orders JOIN people USING (user_id) JOIN accounts USING (user_id)',
        )
      ).rows[0].n,
  );
}
