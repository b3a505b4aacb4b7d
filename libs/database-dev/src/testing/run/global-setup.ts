import { randomBytes } from 'node:crypto';
import { readProcessEnvironment } from '@airlock/config';
import type { Client } from 'pg';
import { watchRunners, chooseStorageFolder, readTestStorage } from '@airlock/embedded-postgres';
import { type Clone, CloneRegistry } from '../clones/clone-registry.js';
import { SpareKeeper } from '../clones/spares.js';
import { readServerObjects } from '../isolation/server-objects.js';
import { readSharedRoles } from '../isolation/shared-roles.js';
import { connectAdmin } from './connect.js';
import { keepDatabases } from './kept-databases.js';
import { type RedisServer, startRedisServer } from './redis-server.js';
import { removeTestRun, saveTestRun, type TestRun } from './test-run.js';
import { startTestServer, type TestModel, type TestServer } from './test-server.js';

const MAX_SPARES = 4;

interface StartedRun {
  run: TestRun;
  server: TestServer;
  redis: RedisServer | undefined;
  admin: Client;
  registry: CloneRegistry;
  keeper: SpareKeeper;
}

let started: StartedRun | undefined;

export interface TestRunOptions {
  readonly maxWorkers: number;
  /** The contents of each test database. */
  readonly model: TestModel;
}

/** Jest's globalSetup: starts servers for this run and writes a record for the workers. In watch mode they stay. */
export async function startTestRun({ maxWorkers, model }: TestRunOptions): Promise<void> {
  if (started) return;
  // The servers end with this process. The results of a killed Nx or make have no reader.
  watchRunners(() => process.kill(process.pid, 'SIGTERM'));
  const env = readProcessEnvironment();
  // First, because it needs very little of the memory that the databases need.
  const redis = env['REDIS_URL'] ? undefined : await startRedisServer(chooseStorageFolder(readTestStorage(env)));
  const server = await startTestServer(model);
  const admin = await connectAdmin(server.address);
  const { app, migrator } = server.address;
  const run: TestRun = {
    id: randomBytes(4).toString('hex'),
    ...server.address,
    roles: await readSharedRoles(admin, [app.user, migrator.user]),
    serverObjects: (await readServerObjects(admin)).map(({ object }) => object),
    redisUrl: redis ? redis.url : env['REDIS_URL'] || undefined,
    isRedisRequired: env['CI'] === 'true',
  };
  const connect = (database: string) => connectAdmin(run, database);
  const registry = new CloneRegistry({ admin, connect, template: run.template, run: run.id });
  await registry.claimRun();
  const keeper = new SpareKeeper(registry, admin, Math.min(maxWorkers + 1, MAX_SPARES));
  started = { run, server, redis, admin, registry, keeper };
  saveTestRun(run);
  await keeper.start();
}

/** Jest's globalTeardown. Prints the kept databases. */
export async function stopTestRun({ isWatching }: { isWatching: boolean }): Promise<void> {
  if (!started) return;
  const { run, server, redis, admin, registry, keeper } = started;
  await (isWatching ? keeper.whenIdle() : keeper.stop());
  const kept = (await registry.list()).filter(({ state, run: maker }) => state === 'kept' && maker === run.id);
  if (isWatching) return reportKept(kept, server);
  started = undefined;
  await registry.dropOurs();
  // Our clusters are stopped without it.
  if (kept.length > 0) await admin.query('CHECKPOINT');
  await admin.end();
  if (server.cluster) await keepDatabases(server.cluster, kept);
  await server.cluster?.stop();
  await redis?.stop();
  removeTestRun();
  reportKept(kept, server);
}

function reportKept(kept: readonly Clone[], { cluster, address }: TestServer): void {
  if (kept.length === 0) return;
  const databases =
    kept.length === 1 ? 'The database of the failed test is' : `The databases of ${kept.length} failed tests are`;
  const { host, port } = address;
  const where = kept.map(({ name, file }) => `  ${name} on ${host}:${port}, of ${file}`).join('\n');
  const fix = cluster ? ' To look inside: airlock db kept' : `\n${where}\nEach is dropped when its file fails again.`;
  process.stderr.write(`\n${databases} kept.${fix}\n`);
}
