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
import { describeFreshStart } from '../command-line/fresh-start.js';
import { describeFailure } from '../command-line/report-failure.js';
import { announceDatabase, announceFailure, claimDatabase, withdrawDatabase } from './announcement.js';
import { refuseSecondDatabase } from './refuse-second.js';
import { onStop } from './stop.js';
import { watchFiles } from './watch-files.js';
import { LOCAL_FOLDER, ROOT } from './workspace.js';

/** Keeps the development database running and migrated until stopped. */
export async function serveDatabase(): Promise<void> {
  // Checked before anything is written: a link may point to another folder.
  assertPlainFolder(LOCAL_FOLDER);
  refuseSecondDatabase();
  claimDatabase();
  if (setUpEnvFile(ROOT).created)
    console.log('Created .env from .env.example, with generated passwords and free ports.');
  let served: { config: Config; cluster: Cluster | undefined } | undefined;
  const close = async () => {
    claimDatabase();
    // Cleared before the server stops: a server that exits while it is still `served` has crashed.
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
    // Without a database nothing can be served; the next start recovers from a crash.
    void cluster?.ended.then(() => served?.cluster === cluster && stop(1));
    await provisionAndMigrate(config, cluster);
    announceDatabase(describe(config));
  };
  // After an error in .env, the next edit is tried; every other error ends the start.
  let turn = serve().catch((error: unknown) => {
    if (error instanceof ConfigError) return report(error, false);
    console.error(describeFailure(error) + describeFreshStart(error, served?.config));
    hasFailed = true;
    stop(1);
  });
  watchFiles({ app: undefined }, () => {
    turn = turn.then(serve).catch((error: unknown) => report(error, served !== undefined));
  });
  await turn;
}

/** Secrets must be compared explicitly: they look equal to a deep comparison. */
function isSame(a: Config['database'], b: Config['database']): boolean {
  const hasSamePassword = (of: 'app' | 'migration' | 'admin') =>
    a[of] === undefined || (b[of] !== undefined && a[of].password.equals(b[of].password));
  return isDeepStrictEqual(a, b) && hasSamePassword('app') && hasSamePassword('migration') && hasSamePassword('admin');
}

/** Once the API runs, it reports config errors itself. */
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
      expected: 'development: only that is served from the sources',
      fix: 'unset ENVIRONMENT, or run the image for other environments',
    },
  ]);
}

/** Starts the embedded server with the port of the config. Roles, passwords and name are applied at each start. */
async function openServer({ database }: Config): Promise<Cluster | undefined> {
  if (database.server === 'external') return undefined;
  const { port } = database.app;
  if (!(await isPortFree(port))) {
    const free = await findFreePortAbove(port);
    const fix = `Set another port in DATABASE_URL and DATABASE_MIGRATION_URL, in .env: ${free} is free.`;
    throw new PortInUseError({ name: 'DATABASE_URL: port', port, fix });
  }
  const { loadProvisionRecord } = await import('@airlock/database/operations');
  const knownIdentifier = loadProvisionRecord(ROOT, database.app)?.systemIdentifier;
  return startCluster({ dataDir: join(LOCAL_FOLDER, 'postgres'), durable: true, port, knownIdentifier });
}

async function provisionAndMigrate(config: Config, cluster: Cluster | undefined): Promise<void> {
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
  await seed({ seeds: model.seeds, config, ifEmpty: true });
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
