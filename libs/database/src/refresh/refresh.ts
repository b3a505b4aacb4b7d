import { type Environment, environmentsWith, traitsOf } from '@airlock/config';
import type { Client } from 'pg';
import { withClient } from '../connect/client.js';
import { createSessionConfig } from '../connect/client-options.js';
import { findBrokenBindings, type Location, readLocation, readStamp, type Stamp } from '../identity/stamp.js';
import { adoptSanitised, assertSameServer, type ProvisionOptions, ProvisionError } from '../provision/provision.js';
import type { Model } from '../model/product-model.js';
import { emptyQueues } from './empty-queues.js';
import { listTableRules, type TableRules } from './table-rules.js';
import { removeOldRows } from './remove-old-rows.js';
import { sanitise } from './sanitise.js';
import { findUnfitColumns } from './unfit-columns.js';
import { findUnjudgedObjects } from './unjudged-objects.js';

export interface RefreshOptions extends Omit<ProvisionOptions, 'adopt'>, Pick<Model, 'columns'> {
  /** The full name of the copy, typed by a person. */
  readonly copy: string;
}

export interface RefreshReport {
  readonly database: string;
  readonly from: Stamp;
  readonly stamp: Stamp;
  /** The number of replaced rows of each table. */
  readonly replaced: Readonly<Record<string, number>>;
  /** System catalogues that still hold dead rows, because this role may not rewrite them. */
  readonly warnings: readonly string[];
}

/** The rows of the copy are replaced but its stamp is not. No process starts on it, and the refresh may be repeated. */
export class UnfinishedRefreshError extends Error {
  override readonly name = 'UnfinishedRefreshError';
  readonly exitCode = 1;
}

/**
 * Turns a restored copy of another environment's database into one of this environment. User data is replaced, then its
 * remains in pages and statistics are removed, and the stamp changes last. No job of the original remains. Until then no process starts on the copy.
 * Safe to repeat.
 *
 * @throws ProvisionError before anything is changed, unless the database is such a copy, every column has a rule that
 * fits it, and no object in it could keep or pass on a value
 *
 * @throws UnfinishedRefreshError when it fails after the rows were replaced
 */
export async function refresh({ copy, columns, ...options }: RefreshOptions): Promise<RefreshReport> {
  assertSameServer(options);
  const { admin, app, environment, sslCa } = options;
  const context = { config: createSessionConfig(environment, sslCa), purpose: 'refresh' };
  const tables = listTableRules(columns);
  return withClient({ ...admin, database: app.database }, context, async (client) => {
    // Rewriting all rows may take any time.
    await client.query(`SET search_path = ''; SET statement_timeout = 0; SET row_security = off`);
    const prepare = async () => {
      const from = await assertCopy(client, { copy, options });
      await assertJudged(client, tables);
      return from;
    };
    const { from, replaced } = await inTransaction(client, async () => {
      const from = await prepare();
      await rehearseStamp(client, options);
      await emptyQueues(client);
      return { from, replaced: await sanitise(client, tables) };
    });
    try {
      const warnings = await removeOldRows(client, tables);
      // Other sessions could use the copy until now.
      const stamp = await inTransaction(client, async () => {
        await prepare();
        await emptyQueues(client);
        return adoptSanitised(client, options);
      });
      return { database: app.database, from, stamp, replaced, warnings };
    } catch (error) {
      throw describeUnfinished(error, { copy, from });
    }
  });
}

async function inTransaction<T>(client: Client, run: () => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    const result = await run();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Tries the last step first: its refusal must come before hours of rewriting. */
async function rehearseStamp(client: Client, options: Omit<RefreshOptions, 'copy' | 'columns'>): Promise<void> {
  await client.query('SAVEPOINT trial');
  await adoptSanitised(client, options);
  await client.query('ROLLBACK TO SAVEPOINT trial');
}

function describeUnfinished(error: unknown, { copy, from }: { copy: string; from: Stamp }): UnfinishedRefreshError {
  return new UnfinishedRefreshError(
    `database "${copy}": its rows are replaced, but it still carries the stamp of ${from.environment}: ` +
      `${(error as Error).message}; expected the last steps to succeed\n` +
      `  airlock db refresh ${copy}   # again, after the cause is fixed`,
    { cause: error },
  );
}

async function assertCopy(
  client: Client,
  { copy, options: { app, environment } }: { copy: string; options: Omit<RefreshOptions, 'copy' | 'columns'> },
): Promise<Stamp> {
  const [stamp, here] = [await readStamp(client), await readLocation(client)];
  const { rows } = await client.query<{ who: string }>(SESSIONS);
  const problems = [
    !traitsOf(environment).takesCopies &&
      `a copy can become ${environmentsWith('takesCopies').join(', ')}, never ${environment}`,
    copy !== app.database && `the caller names "${copy}", and the configuration "${app.database}"`,
    !stamp && 'it has no stamp, so its origin is unknown',
    stamp && describeOrigin(stamp, here, environment),
    ...rows.map(({ who }) => `${who} is connected`),
  ].filter((problem) => typeof problem === 'string');
  if (stamp && problems.length === 0) return stamp;
  throw new ProvisionError(
    [
      `database "${here.databaseName}": ${problems.join('; ')}; expected the copy of another environment, without other sessions`,
      `  caller         "${copy}"`,
      `  configuration  ${environment}, database "${app.database}"`,
      `  database       ${stamp ? `${stamp.environment}, "${stamp.databaseName}"` : 'no stamp'}, on server ${here.systemIdentifier}`,
      '  restore a dump into a separate database, and set DATABASE_URL and DATABASE_MIGRATION_URL to it',
    ].join('\n'),
  );
}

/** @returns the problem with the origin of the copy */
function describeOrigin(stamp: Stamp, here: Location, environment: Environment): string | undefined {
  if (findBrokenBindings(stamp, here).length === 0)
    return `it is not a copy: it is an original ${stamp.environment} database`;
  if (stamp.environment !== environment) return undefined;
  return `it is a copy of ${environment} itself; adopt it with airlock db provision --adopt ${here.databaseName}`;
}

async function assertJudged(client: Client, rules: readonly TableRules[]): Promise<void> {
  const objects = await findUnjudgedObjects(client);
  const unfit = await findUnfitColumns(client, rules);
  const problems = [...objects, ...unfit];
  if (problems.length === 0) return;
  const { databaseName } = await readLocation(client);
  throw new ProvisionError(
    [
      `database "${databaseName}": it could keep or pass on user data in ${problems.length} ways; ` +
        'expected only plain tables in schema public, with a fitting rule for every column',
      ...problems.map((problem) => `  ${problem}`),
      ...(unfit.length > 0 ? ['  correct libs/model/src/columns.ts, or migrate the copy to this code first'] : []),
      ...(objects.length > 0
        ? [
            '  ALTER EVENT TRIGGER airlock_refuse_drop DISABLE;   -- in the copy, then drop the objects; refresh enables it again',
          ]
        : []),
    ].join('\n'),
  );
}

const SESSIONS = `
  SELECT 'process ' || pid || coalesce(' (' || nullif(application_name, '') || ')', '') AS who
    FROM pg_catalog.pg_stat_activity
   WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL`;
