import type { Config, Environment } from '@airlock/config';
import type { Client } from 'pg';
import type { Cluster } from '@airlock/embedded-postgres';
import { migrate } from '../migrate/migrate.js';
import { createScratchConfig } from '../migrate/scratch-config.fixture.js';
import { createAddresses, runAs } from '../provision/provision.fixture.js';
import { provision, type ProvisionOptions } from '../provision/provision.js';
import { sampleModel } from '../sample/sample-model.js';

/** User data, planted where it could survive: in rows, in pages with old rows, in statistics. */
export const CANARIES = ['user_cAnArYowner', 'cAnArYname', 'cAnArYattribute'];

export interface Scene {
  readonly source: ProvisionOptions;
  readonly target: ProvisionOptions;
  readonly copy: string;
}

let counter = 0;
export const nextName = () => `refresh${(counter += 1)}`;

/** A production database with user rows. */
export async function createSource(cluster: Cluster): Promise<ProvisionOptions> {
  const source = createAddresses(cluster, nextName(), 'production');
  await provision(source);
  await migrate({ config: createConfig(source), ...sampleModel });
  await runAs(inside(source), async (client) => {
    await client.query(`INSERT INTO parcels (owner_id, name, attributes)
      SELECT CASE n % 2 WHEN 0 THEN '${CANARIES[0]}' ELSE 'user_other' END, '${CANARIES[1]} ' || n, '{"note": "${CANARIES[2]}"}'
        FROM generate_series(1, 40) n`);
    await client.query('ANALYZE parcels');
  });
  return source;
}

/** A copy that an administrator has restored on a server with the roles of another environment. */
export async function createCopy(
  cluster: Cluster,
  { environment, of: source }: { environment: Environment; of: ProvisionOptions },
): Promise<Scene> {
  const copy = `${nextName()}_copy`;
  await runAs(source.admin, (admin) =>
    admin.query(`CREATE DATABASE ${copy} TEMPLATE ${source.app.database} STRATEGY FILE_COPY`),
  );
  return { source, target: createAddresses(cluster, copy, environment), copy };
}

export const inside = ({ admin, app }: Pick<ProvisionOptions, 'admin' | 'app'>) => ({
  ...admin,
  database: app.database,
});

export function createConfig({ app, migration, environment }: ProvisionOptions): Config {
  const config = createScratchConfig(app.port, 'any_test', environment);
  return { ...config, database: { ...config.database, app, migration } };
}

/**
 * Every row of every table: its place, the transaction that wrote it, and its text outside of the system catalogues.
 */
export async function takeSnapshot(client: Client): Promise<Record<string, string | null>> {
  const { rows: tables } = await client.query<{ name: string; text: string }>(`
    SELECT c.oid::regclass::text AS name, CASE WHEN c.oid < 16384 THEN 'NULL' ELSE 't::text' END AS text
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm') AND NOT c.relisshared`);
  const hashes = tables.map(
    ({ name, text }) =>
      `SELECT '${name}' AS name, md5(string_agg(concat(t.ctid, t.xmin, t.xmax, ${text}), ',' ORDER BY t.ctid)) AS hash FROM ${name} t`,
  );
  const { rows } = await client.query<{ name: string; hash: string | null }>(hashes.join(' UNION ALL '));
  return Object.fromEntries(rows.map(({ name, hash }) => [name, hash]));
}
