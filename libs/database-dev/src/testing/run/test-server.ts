import { createHash } from 'node:crypto';
import { readProcessEnvironment, type Config, type DatabaseAddress } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import {
  copyFolder,
  startCluster,
  createOwnedFolder,
  sweepOwnedFolders,
  chooseStorageFolder,
  readTestStorage,
  type Cluster,
  type TestStorage,
} from '@airlock/embedded-postgres';
import { connectClient } from '@airlock/database/internal';
import type { Model } from '@airlock/database/model';
import { assertTemplateContents } from '../clones/assert-template.js';
import { REGISTRY_SQL } from '../clones/clone-registry.js';
import { nameTemplate } from '../clones/database-name.js';
import { buildTemplate, type TemplateOptions } from '../clones/template.js';
import { ensureCachedFolder, hashTemplate, readLogins } from './template-cache.js';
import type { TestRun } from './test-run.js';

/** The inputs that test databases are created from and checked against. */
export type TestModel = Pick<Model, 'migrations' | 'backfills' | 'seeds' | 'folder'>;

export interface TestServer {
  readonly address: Pick<
    TestRun,
    'server' | 'host' | 'port' | 'admin' | 'maintenance' | 'app' | 'migrator' | 'template'
  >;
  /** The data folder, if the server is ours. */
  readonly cluster: Cluster | undefined;
}

/** A server with the template: a new one, unless DATABASE_SERVER=external selects a running one. */
export async function startTestServer(model: TestModel): Promise<TestServer> {
  const env = readProcessEnvironment();
  if (env['DATABASE_SERVER'] === 'external')
    return useExternalServer(loadConfig({ env: { ...env, ENVIRONMENT: 'testing' } }), model);
  return startEmbeddedServer(readTestStorage(env), model);
}

async function startEmbeddedServer(storage: TestStorage, model: TestModel): Promise<TestServer> {
  const folder = chooseStorageFolder(storage);
  await sweepOwnedFolders(folder);
  const cached = await ensureCachedFolder(folder, { model });
  const dataDir = createOwnedFolder(folder, 'run');
  await copyFolder(cached, dataDir);
  const cluster = await startCluster({ dataDir, durable: false });
  const { host, port, user, password, database } = cluster.superuser;
  return {
    cluster,
    address: {
      server: 'embedded',
      host,
      port,
      admin: { user, password: password.reveal() },
      maintenance: database,
      ...readLogins(dataDir),
      template: nameTemplate(hashTemplate(model)),
    },
  };
}

async function useExternalServer(config: Config, model: TestModel): Promise<TestServer> {
  const { admin, app, migration } = config.database;
  if (!admin || !migration) {
    const missing = admin ? 'DATABASE_MIGRATION_URL' : 'DATABASE_ADMIN_URL';
    throw new Error(
      `${missing}: not set; expected with DATABASE_SERVER=external, because tests create their own databases.\n` +
        'Unset DATABASE_SERVER to run the tests on a separate PostgreSQL.',
    );
  }
  // Other logins have other grants in the template.
  const template = nameTemplate(
    createHash('sha256')
      .update(`${hashTemplate(model)} ${app.user} ${migration.user}`)
      .digest('hex'),
  );
  await ensureTemplate({ ...model, name: template, admin, app, migration }, config);
  const toLogin = ({ user, password }: DatabaseAddress) => ({ user, password: password.reveal() });
  return {
    cluster: undefined,
    address: {
      server: 'external',
      host: admin.host,
      port: admin.port,
      admin: toLogin(admin),
      maintenance: admin.database,
      app: toLogin(app),
      migrator: toLogin(migration),
      template,
    },
  };
}

/**
 * One process at a time. A template that an interrupted run left unfinished still accepts connections and is recreated.
 */
async function ensureTemplate(template: TemplateOptions & TestModel, config: Config): Promise<void> {
  const client = await connectClient(template.admin, { config, purpose: 'tests' });
  try {
    await client.query(`SELECT pg_advisory_lock(hashtext('airlock_testing'))`);
    await client.query(REGISTRY_SQL);
    const { rows } = await client.query<{ datistemplate: boolean }>(
      'SELECT datistemplate FROM pg_database WHERE datname = $1',
      [template.name],
    );
    if (rows[0]?.datistemplate) return await assertTemplateContents(client, template);
    if (rows[0]) await client.query(`DROP DATABASE ${client.escapeIdentifier(template.name)} WITH (FORCE)`);
    await buildTemplate(template);
  } finally {
    await client.end();
  }
}
