import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import type { Config } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { withClient, withOwner, provision } from '@airlock/database/internal';
import { startScratchCluster } from '@airlock/embedded-postgres';

export interface ThrowawayDatabase {
  readonly config: Config;
  /** Creates a copy of the current database, and connects to it as its owner. */
  readonly withCopy: <T>(work: (client: Client) => Promise<T>) => Promise<T>;
  readonly withOwner: <T>(work: (client: Client) => Promise<T>) => Promise<T>;
}

const DATABASE = 'airlock_test';

/** A provisioned, empty database on a separate PostgreSQL, removed afterwards. */
export async function withThrowawayDatabase<T>(work: (database: ThrowawayDatabase) => Promise<T>): Promise<T> {
  const cluster = await startScratchCluster();
  try {
    const config = createConfig(cluster.port);
    const { app, migration = app } = config.database;
    await provision({ admin: cluster.superuser, app, migration, environment: 'testing' });
    const superuser = { ...cluster.superuser };
    let copies = 0;
    return await work({
      config,
      withOwner: (use) => withOwner({ config }, 'lint', use),
      async withCopy(use) {
        const name = `copy_${(copies += 1)}`;
        const context = { config, purpose: 'lint' };
        await withClient(superuser, context, (client) =>
          client.query(`CREATE DATABASE ${name} TEMPLATE ${DATABASE} STRATEGY FILE_COPY`),
        );
        await withClient({ ...superuser, database: name }, context, (client) =>
          client.query(`GRANT CREATE ON DATABASE ${name} TO ${DATABASE}_owner`),
        );
        return withClient({ ...migration, database: name }, context, async (client) => {
          await client.query(`SET ROLE ${DATABASE}_owner; SET search_path = pg_catalog`);
          return use(client);
        });
      },
    });
  } finally {
    await cluster.stop();
  }
}

function createConfig(port: number): Config {
  const password = () => randomBytes(24).toString('base64url');
  const url = (role: string) => `postgres://airlock_${role}:${password()}@127.0.0.1:${port}/${DATABASE}`;
  const env = { ENVIRONMENT: 'testing', DATABASE_URL: url('app'), DATABASE_MIGRATION_URL: url('migrator') };
  return loadConfig({ cwd: '/nonexistent', env });
}
