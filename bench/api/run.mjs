// Compares the built API, with everything on, with (a) bare.mjs and (b) nest-typeorm.mjs on one database, in turns, so that
// what else the machine does falls on all alike. `nx run-many -t build && node --import ./tools/typescript.mjs bench/api/run.mjs`
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';

import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadConfig } from '@airlock/config';
import { migrate, provision, withClient } from '@airlock/database';
import { startCluster } from '@airlock/database/embedded';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const ROUNDS = Number(process.argv[2] ?? 5);
const LOAD_MS = Number(process.argv[3] ?? 3_000);
const CONNECTIONS = 32;
const POOL_SIZE = 10;
const POLL_MS = 5;
const PARTY = 'bench';
const PASSWORD = 'q7Vd2mXc81LkPz0w';
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

const folder = mkdtempSync('/dev/shm/bench-api-');
const cluster = await startCluster({ dataDir: `${folder}/data`, durable: false });
const url = (user) => `postgres://${user}:${PASSWORD}@127.0.0.1:${cluster.port}/airlock_test`;
const config = loadConfig({
  env: { ENVIRONMENT: 'testing', DATABASE_URL: url('airlock_app'), DATABASE_MIGRATION_URL: url('airlock_migrator') },
  cwd: '/',
});
const { app, migration } = config.database;
if (!migration) throw new Error('no migrator');
await provision({ admin: cluster.superuser, app, migration, environment: 'testing' });
await migrate({ config });
const issuer = await startIssuer();
const servers = [];
try {
  const id = await fillTables();
  const plain = JSON.stringify({
    host: '127.0.0.1',
    port: cluster.port,
    user: 'airlock_app',
    password: PASSWORD,
    database: 'airlock_test',
    max: POOL_SIZE,
  });
  servers.push(await start('a: Fastify + pg', [path('./bare.mjs'), plain]));
  servers.push(await start('b: Nest + TypeORM', [path('./nest-typeorm.mjs'), plain]));
  servers.push(await start('the API', [path('../../apps/api/dist/main.js')]));
  await measure(id);
} finally {
  for (const { child } of servers) child.kill('SIGTERM');
  issuer.server.close();
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(id) {
  const requests = {
    read: createRequest('GET', `/api/v1/entities/${id}`),
    list: createRequest('GET', '/api/v1/entities?limit=20'),
    create: createRequest('POST', '/api/v1/entities', JSON.stringify({ name: 'bench', attributes: { a: 1 } })),
    readyz: createRequest('GET', '/readyz'),
  };
  for (const [name, request] of Object.entries(requests)) {
    const results = new Map(servers.map((server) => [server.name, []]));
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const server of servers) {
        const result = await load(server, request);
        // The first round warms up.
        if (round > 0) results.get(server.name)?.push(result);
      }
    }
    report(name, results);
  }
  for (const { name, child, startMs } of servers)
    console.log(`${name}: start ${startMs} ms, resident ${readResidentMb(child)} MB after load`);
}

function report(name, results) {
  const base = median([...results.values()][0]?.map(({ perSecond }) => perSecond) ?? []);
  for (const [server, rounds] of results) {
    const perSecond = median(rounds.map((round) => round.perSecond));
    const p99 = median(rounds.map((round) => round.p99));
    const statuses = [...new Set(rounds.flatMap((round) => Object.keys(round.statuses)))].join(' ');
    console.log(
      `${name.padEnd(7)} ${server.padEnd(18)} ${String(perSecond).padStart(6)}/s  ${(perSecond / base).toFixed(2)} of a  p99 ${p99} ms  (${statuses})`,
    );
  }
}

async function load(server, request) {
  const options = { port: Number(new URL(server.url).port), connections: CONNECTIONS, ms: LOAD_MS, request };
  const { stdout } = await promisify(execFile)(process.execPath, [path('./load.mjs'), JSON.stringify(options)]);
  return JSON.parse(stdout);
}

function createRequest(method, target, body = '') {
  const length = body ? `content-type: application/json\r\ncontent-length: ${body.length}\r\n` : '';
  return `${method} ${target} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${issuer.token}\r\n${length}\r\n${body}`;
}

/** From the spawn of the process to its first answer that it is ready. */
async function start(name, args) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: createEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('"listening"')) resolve(JSON.parse(line).url);
    });
    child.once('exit', (code) => reject(new Error(`${name}: exited with ${code}`)));
  });
  while ((await fetch(`${url}/readyz`)).status !== 200) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  return { name, url, child, startMs: Math.round(performance.now() - startedAt) };
}

function createEnvironment() {
  return {
    ENVIRONMENT: 'testing',
    DATABASE_URL: url('airlock_app'),
    DATABASE_POOL_SIZE: String(POOL_SIZE),
    PORT: '0',
    MANAGEMENT_PORT: '0',
    LOG_LEVEL: 'info',
    RATE_LIMIT_PER_USER: '1000000000',
    RATE_LIMIT_PER_ADDRESS: '1000000000',
    AUTH_ISSUER: issuer.url,
    AUTH_JWKS_URL: `${issuer.url}/jwks.json`,
    AUTH_AUTHORIZED_PARTIES: PARTY,
  };
}

/** The same rows twice: under row-level security for the API, in a plain table for the others. */
async function fillTables() {
  const admin = { ...cluster.superuser, database: 'airlock_test' };
  return withClient(admin, { config, purpose: 'bench' }, async (client) => {
    await client.query(
      `INSERT INTO entities (owner_id, name, attributes) SELECT 'user_' || n % 50, 'row ' || n, '{"a": 1}' FROM generate_series(1, 20000) n`,
    );
    await client.query('CREATE TABLE bench_entities (LIKE entities INCLUDING ALL)');
    await client.query('INSERT INTO bench_entities SELECT * FROM entities');
    await client.query('GRANT ALL ON bench_entities TO airlock_app');
    await client.query('ANALYZE');
    const { rows } = await client.query(`SELECT id FROM entities WHERE owner_id = 'user_1' LIMIT 1`);
    return rows[0]?.id ?? '';
  });
}

async function startIssuer() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256' }] };
  const server = createServer((_, response) => response.end(JSON.stringify(keys)));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const token = await new SignJWT({ azp: PARTY })
    .setProtectedHeader({ alg: 'ES256', kid: 'bench' })
    .setIssuer(url)
    .setSubject('user_1')
    .setExpirationTime('2h')
    .sign(privateKey);
  return { server, url, token };
}

function readResidentMb(child) {
  const [, kilobytes = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
