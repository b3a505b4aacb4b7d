// Shared by the benches of the API: a separate PostgreSQL with a migrated database, a token issuer, and the servers
// under test.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '@airlock/config/loading';
import { withClient } from '@airlock/database';
import { migrate, provision } from '@airlock/database/operations';
import { startCluster } from '@airlock/embedded-postgres';
import { model } from '@airlock/model';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export const POOL_SIZE = 10;
export const BUILT_API = path('../../apps/api/dist/main.js');
const PASSWORD = 'q7Vd2mXc81LkPz0w';
const PARTY = 'bench';
const POLL_MS = 5;

export function path(relative) {
  return fileURLToPath(new URL(relative, import.meta.url));
}

/** Stops and removes everything after `use`, even if it fails. */
export async function withWorld({ durable = false }, use) {
  const world = await World.open(durable);
  try {
    return await use(world);
  } finally {
    await world.close();
  }
}

class World {
  servers = [];

  static async open(durable) {
    const world = new World();
    world.folder = mkdtempSync('/dev/shm/bench-api-');
    await world.startDatabase({ durable });
    const { app, migration } = world.config.database;
    await provision({ admin: world.cluster.superuser, app, migration, environment: 'testing' });
    await migrate({ ...model, config: world.config });
    world.issuer = await startIssuer();
    return world;
  }

  /** Also restarts a stopped server. The folder and the port stay the same. */
  async startDatabase({ durable } = this.databaseOptions) {
    const port = this.cluster?.port ?? 0;
    this.databaseOptions = { durable };
    this.cluster = await startCluster({ dataDir: `${this.folder}/data`, durable, keepFolder: true, port });
    this.config ??= loadConfig({
      env: {
        ENVIRONMENT: 'testing',
        DATABASE_URL: this.#databaseUrl('airlock_app'),
        DATABASE_MIGRATION_URL: this.#databaseUrl('airlock_migrator'),
      },
      cwd: '/',
    });
  }

  /** Connection options of pg for the same database, for the servers that the API is compared with. */
  get plainOptions() {
    const [user, database] = ['airlock_app', 'airlock_test'];
    return { host: '127.0.0.1', port: this.cluster.port, user, password: PASSWORD, database, max: POOL_SIZE };
  }

  asAdmin(use) {
    const admin = { ...this.cluster.superuser, database: 'airlock_test' };
    return withClient(admin, { config: this.config, purpose: 'bench' }, use);
  }

  /** Starts a server and measures the time from its spawn to its first `/readyz` 200. */
  async start(name, args, env = {}) {
    const startedAt = performance.now();
    const child = spawn(process.execPath, args, {
      cwd: this.folder,
      env: { ...this.#createEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const server = { name, child, url: '', startMs: 0, events: [] };
    this.servers.push(server);
    server.url = await new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.includes('"listening"')) resolve(JSON.parse(line).url);
        if (!line.includes('"event":"request')) server.events.push(line);
      });
      child.once('exit', (code) => reject(new Error(`${name}: exited with ${code}`)));
    });
    while ((await fetch(`${server.url}/readyz`)).status !== 200) await sleep(POLL_MS);
    server.startMs = Math.round(performance.now() - startedAt);
    return server;
  }

  async close() {
    for (const { child } of this.servers) child.kill('SIGTERM');
    this.issuer?.server.close();
    await this.cluster?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #databaseUrl(user) {
    return `postgres://${user}:${PASSWORD}@127.0.0.1:${this.cluster.port}/airlock_test`;
  }

  #createEnvironment() {
    return {
      ENVIRONMENT: 'testing',
      DATABASE_URL: this.#databaseUrl('airlock_app'),
      DATABASE_POOL_SIZE: String(POOL_SIZE),
      PORT: '0',
      MANAGEMENT_PORT: '0',
      LOG_LEVEL: 'info',
      RATE_LIMIT_PER_USER: '1000000000',
      RATE_LIMIT_PER_ADDRESS: '1000000000',
      AUTH_ISSUER: this.issuer.url,
      AUTH_JWKS_URL: `${this.issuer.url}/jwks.json`,
      AUTH_AUTHORIZED_PARTIES: PARTY,
    };
  }
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

export function readResidentMb({ pid }) {
  const [, kilobytes = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}

export function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
