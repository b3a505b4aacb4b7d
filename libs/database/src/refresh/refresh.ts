import type { Environment } from '@airlock/config';
import type { Client } from 'pg';
import { withClient } from '../client.js';
import { createSessionConfig } from '../client-options.js';
import { findBrokenBindings, type Location, readLocation, readStamp, type Stamp } from '../identity/stamp.js';
import { adoptSanitised, assertSameServer, type ProvisionOptions, ProvisionError } from '../provision/provision.js';
import { columns } from './columns.js';
import { type Columns, findUnclassified, sanitise } from './sanitise.js';

export interface RefreshOptions extends Omit<ProvisionOptions, 'adopt'> {
  /** The full name of the copy, typed by a person. */
  readonly copy: string;
  /** What becomes of each column, unless a test says otherwise. */
  readonly rules?: Columns;
}

export interface RefreshReport {
  readonly database: string;
  readonly from: Stamp;
  readonly stamp: Stamp;
  /** The rows of each table whose values were replaced. */
  readonly replaced: Readonly<Record<string, number>>;
}

/** Where copies are worked with. Tests make their own rows, and nothing that was ever changed becomes production. */
const TARGETS = ['development', 'preview', 'staging'];

/**
 * Makes a copy of another environment's database, restored beside, one of this environment: what people have entered
 * is replaced, and only then the stamp says so, both in one transaction. Until it ends nothing starts on the copy.
 *
 * @throws ProvisionError before anything is changed, unless the database is such a copy and every column has a rule
 */
export async function refresh({ copy, rules = columns, ...options }: RefreshOptions): Promise<RefreshReport> {
  assertSameServer(options);
  const { admin, app, environment, sslCa } = options;
  const context = { config: createSessionConfig(environment, sslCa), purpose: 'refresh' };
  return withClient({ ...admin, database: app.database }, context, async (client) => {
    // Rewriting all rows takes as long as it takes.
    await client.query(`SET search_path = ''; SET statement_timeout = 0; SET row_security = off`);
    const from = await assertCopy(client, { copy, options });
    await assertClassified(client, rules);
    await client.query('BEGIN');
    try {
      const replaced = await sanitise(client, rules);
      const stamp = await adoptSanitised(client, options);
      await client.query('COMMIT');
      await forgetOldRows(client);
      return { database: app.database, from, stamp, replaced };
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  });
}

async function assertCopy(
  client: Client,
  { copy, options: { app, environment } }: { copy: string; options: Omit<RefreshOptions, 'copy'> },
): Promise<Stamp> {
  const [stamp, here] = [await readStamp(client), await readLocation(client)];
  const { rows } = await client.query<{ who: string }>(SESSIONS);
  const problems = [
    !TARGETS.includes(environment) && `a copy becomes ${TARGETS.join(', ')}, never ${environment}`,
    copy !== app.database && `the caller names "${copy}", and the configuration "${app.database}"`,
    !stamp && 'it carries no stamp, so nothing says whose copy it is',
    stamp && describeOrigin(stamp, here, environment),
    ...rows.map(({ who }) => `${who} is connected`),
  ].filter((problem) => typeof problem === 'string');
  if (stamp && problems.length === 0) return stamp;
  throw new ProvisionError(
    [
      `database "${here.databaseName}": ${problems.join('; ')}; expected the copy of another environment, used by nobody`,
      `  caller         "${copy}"`,
      `  configuration  ${environment}, database "${app.database}"`,
      `  database       ${stamp ? `${stamp.environment}, "${stamp.databaseName}"` : 'no stamp'}, on server ${here.systemIdentifier}`,
      '  restore a dump into a database of its own, and name that in DATABASE_URL and DATABASE_MIGRATION_URL',
    ].join('\n'),
  );
}

/** @returns what is wrong with where it comes from */
function describeOrigin(stamp: Stamp, here: Location, environment: Environment): string | undefined {
  if (findBrokenBindings(stamp, here).length === 0)
    return `it is no copy: the stamp of ${stamp.environment} is its own`;
  if (stamp.environment !== environment) return undefined;
  return `it is a copy of ${environment} itself, which airlock db provision --adopt ${here.databaseName} takes back`;
}

async function assertClassified(client: Client, rules: Columns): Promise<void> {
  const unclassified = await findUnclassified(client, rules);
  if (unclassified.length === 0) return;
  throw new ProvisionError(
    `${unclassified.join('; ')}; expected a rule for every column\n` +
      '  say in libs/database/src/refresh/columns.ts what becomes of each, or migrate the copy to this code first',
  );
}

/** What was replaced still lies in the pages, and the commonest values in the statistics of the planner. */
async function forgetOldRows(client: Client): Promise<void> {
  await client.query('ANALYZE');
  await client.query('VACUUM (FULL)');
}

const SESSIONS = `
  SELECT 'process ' || pid || coalesce(' (' || nullif(application_name, '') || ')', '') AS who
    FROM pg_catalog.pg_stat_activity
   WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL`;
