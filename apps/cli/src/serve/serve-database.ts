import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Config, ConfigError, type DatabaseAddress, traitsOf } from '@airlock/config';
import { loadConfig, setUpEnvFile } from '@airlock/config/loading';
import {
  assertPlainFolder,
  type Cluster,
  findFreePortAbove,
  isPortFree,
  PortInUseError,
  startCluster,
} from '@airlock/embedded-postgres';
import { describeFailure } from '../command-line/report-failure.js';
import { announceDatabase, announceFailure, claimDatabase, withdrawDatabase } from './announcement.js';
import { refuseSecondDatabase } from './refuse-second.js';
import { onStop } from './stop.js';
import { watchFiles } from './watch-files.js';
import { LOCAL_FOLDER, ROOT } from './workspace.js';

const SAMPLE_ROWS = 20;

/** Keeps the development database of the config running and up to date until it is told to stop. */
export async function serveDatabase(): Promise<void> {
  // Before anything is written there: a link may lead into another folder.
  assertPlainFolder(LOCAL_FOLDER);
  refuseSecondDatabase();
  claimDatabase();
  if (setUpEnvFile(ROOT).created) console.log('Made .env from .env.example, with generated passwords and free ports.');
  let served: { config: Config; cluster: Cluster | undefined } | undefined;
  const close = async () => {
    claimDatabase();
    // Nobody's any more before it ends: what has ended by itself is told by that.
    const { cluster } = served ?? {};
    served = undefined;
    await cluster?.stop();
  };
  let hasFailed = false;
  const stop = onStop(() => close().finally(hasFailed ? announceFailure : withdrawDatabase));
  const serve = async () => {
    const config = loadDevelopmentConfig();
    if (served && isSame(served.config.database, config.database)) return;
    await close();
    const cluster = await openServer(config);
    served = { config, cluster };
    // Without a database there is nothing to serve; a crash is mended by the next start.
    void cluster?.ended.then(() => served?.cluster === cluster && stop(1));
    await bringUpToDate(config, cluster);
    announceDatabase(describe(config));
  };
  // A mistake in .env is mended by its next edit; anything else ends the start.
  let turn = serve().catch((error: unknown) => {
    if (error instanceof ConfigError) return report(error, false);
    console.error(describeFailure(error) + describeFreshStart(error));
    hasFailed = true;
    stop(1);
  });
  watchFiles({ sources: false }, () => {
    turn = turn.then(serve).catch((error: unknown) => report(error, served !== undefined));
  });
  await turn;
}

/** Branches come and go, and the database of a developer keeps what one of them has applied. */
function describeFreshStart(error: unknown): string {
  const isRefused = error instanceof Error && error.name === 'MigrationRefusal';
  return isRefused ? `\n  Or begin afresh, if the data of .airlock/postgres may go: rm -r .airlock/postgres` : '';
}

/** Secrets look alike to whoever compares what can be seen. */
function isSame(a: Config['database'], b: Config['database']): boolean {
  const hasSamePassword = (of: 'app' | 'migration' | 'admin') =>
    a[of] === undefined || (b[of] !== undefined && a[of].password.equals(b[of].password));
  return isDeepStrictEqual(a, b) && hasSamePassword('app') && hasSamePassword('migration') && hasSamePassword('admin');
}

/** What is wrong with the config is also said by the API, once there is one. */
function report(error: unknown, isServing: boolean): void {
  if (isServing && error instanceof ConfigError) return;
  console.error(describeFailure(error));
  console.error('Waiting for the next edit of .env.');
}

function loadDevelopmentConfig(): Config {
  const config = loadConfig({ cwd: ROOT });
  if (traitsOf(config.environment).isServedFromSources) return config;
  throw new ConfigError([
    {
      name: 'ENVIRONMENT',
      problem: `is ${config.environment}`,
      expected: 'development: serving from the sources is for nothing else',
      mend: 'unset ENVIRONMENT, or use the image of the other environments',
    },
  ]);
}

/** The config decides port, roles, passwords and name; the embedded server takes them on at each start. */
async function openServer({ database }: Config): Promise<Cluster | undefined> {
  if (database.server === 'external') return undefined;
  const { port } = database.app;
  if (!(await isPortFree(port))) {
    const free = await findFreePortAbove(port);
    const fix = `Name another port in DATABASE_URL and DATABASE_MIGRATION_URL, in .env: ${free} is free.`;
    throw new PortInUseError({ name: 'DATABASE_URL: port', port, fix });
  }
  const { loadProvisionRecord } = await import('@airlock/database/operations');
  const knownIdentifier = loadProvisionRecord(ROOT, database.app)?.systemIdentifier;
  return startCluster({ dataDir: join(LOCAL_FOLDER, 'postgres'), durable: true, port, knownIdentifier });
}

async function bringUpToDate(config: Config, cluster: Cluster | undefined): Promise<void> {
  const [{ migrate, seed }, { model }] = await Promise.all([
    import('@airlock/database/operations'),
    import('@airlock/model'),
  ]);
  const { app, migration } = config.database;
  const admin = cluster?.superuser ?? config.database.admin;
  if (admin && migration) await provisionRecorded(config, { admin, app, migration });
  if (!migration) return;
  const { applied } = await migrate({ config, ...model });
  for (const { name } of applied) console.log(`migrated ${name}`);
  await seed({ ...model, config, rows: SAMPLE_ROWS });
}

async function provisionRecorded(
  { environment, database: { sslCa } }: Config,
  addresses: { admin: DatabaseAddress; app: DatabaseAddress; migration: DatabaseAddress },
): Promise<void> {
  const { provision, saveProvisionRecord } = await import('@airlock/database/operations');
  const { stamp } = await provision({ ...addresses, environment, sslCa });
  const { host, port } = addresses.app;
  const { systemIdentifier, databaseName: database } = stamp;
  saveProvisionRecord(ROOT, { environment, host, port, database, systemIdentifier });
}

function describe({ database }: Config): string {
  const { host, port, database: name } = database.app;
  const server = database.server === 'embedded' ? 'PostgreSQL 18 from npm, data in .airlock/postgres' : 'external';
  return `${name} on ${host}:${port} (${server})`;
}
