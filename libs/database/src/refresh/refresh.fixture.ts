import { type Config, type Environment, Secret } from '@airlock/config';
import type { Cluster } from '@airlock/embedded-postgres';
import type { Migration } from '../model/migration.js';
import type { Classes } from '../model/column-classes.js';
import { migrate } from '../migrate/migrate.js';
import { createScratchConfig } from '../migrate/scratch-config.fixture.js';
import { ask, createAddresses, runAs } from '../provision/provision.fixture.js';
import { provision, type ProvisionOptions } from '../provision/provision.js';
import { refresh, type RefreshOptions, type RefreshReport } from './refresh.js';

export const KEY = new Secret('a key of the pair of environments, for specs');

export interface RefreshModel {
  readonly migrations: readonly Migration[];
  readonly classes: Classes;
}

let counter = 0;
export const nextName = () => `refresh${(counter += 1)}`;

/** A migrated database with the rows that `sql` inserts. That of production is a copy, as a restore makes it. */
export async function createDatabase(
  cluster: Cluster,
  { environment, model, sql = '' }: { environment: Environment; model: RefreshModel; sql?: string },
): Promise<ProvisionOptions> {
  const made = createAddresses(cluster, nextName(), environment);
  await provision(made);
  await migrate({ config: createConfig(made), migrations: model.migrations });
  if (sql) await runAs(inside(made), (client) => client.query(sql));
  if (environment === 'production') await makeCopy(made);
  return made;
}

/** Its stamp then names an original of another name. */
export const makeCopy = (options: Pick<ProvisionOptions, 'admin' | 'app'>) =>
  runAs(inside(options), (client) =>
    client.query(`UPDATE ops.environment SET database_name = database_name || '_original'`),
  );

export interface RunOptions extends Partial<Omit<RefreshOptions, 'source' | 'config'>> {
  readonly source: ProvisionOptions;
  readonly target: ProvisionOptions;
  readonly model: RefreshModel;
}

export function runRefresh({ source, target, model, ...rest }: RunOptions): Promise<RefreshReport> {
  return runAs(inside(source), (client) =>
    refresh({ ...model, config: createConfig(target), source: client, key: KEY, ...rest }),
  );
}

export const inside = ({ admin, app }: Pick<ProvisionOptions, 'admin' | 'app'>) => ({
  ...admin,
  database: app.database,
});

export function createConfig({ app, migration, admin, environment }: ProvisionOptions): Config {
  const config = createScratchConfig(app.port, 'any_test', environment);
  return { ...config, database: { ...config.database, app, migration, admin } };
}

export const askInside = (options: ProvisionOptions, sql: string) =>
  runAs(inside(options), (client) => ask(client, sql));

/** Every row of every table of schemas public, ops and jobs, and the statistics, as one text. */
export async function dump(options: ProvisionOptions): Promise<string> {
  return runAs(inside(options), async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'm') AND (oid >= 16384 OR relname IN ('pg_statistic', 'pg_largeobject'))`,
    );
    const texts = [];
    for (const { name } of rows)
      texts.push(`${name} ${String(await ask(client, `SELECT string_agg(t::text, chr(10)) FROM ${name} t`))}`);
    return texts.join('\n');
  });
}

export async function listDatabases({ admin, app }: ProvisionOptions): Promise<string[]> {
  return runAs(admin, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      'SELECT datname::text AS name FROM pg_database WHERE datname LIKE $1 ORDER BY 1',
      [`${app.database}%`],
    );
    return rows.map(({ name }) => name);
  });
}
