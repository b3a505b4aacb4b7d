import { environmentsWith, listNames, traitsOf } from '@airlock/config';
import { type Client, DatabaseError, escapeIdentifier } from 'pg';
import {
  findBrokenBindings,
  IdentityError,
  type Location,
  readLocation,
  readStamp,
  type Stamp,
} from '../identity/stamp.js';
import { loadLedger } from '../runner/ledger.js';
import { TEXT_FORMS } from './copy-text.js';
import type { Migration } from '../model/migration.js';
import { listSourceColumns } from './mask-rows.js';
import type { TablePlan } from './plan-copy.js';
import { preparePicks } from './pick-rows.js';
import { type TableFacts } from './read-tables.js';
import { RefreshRefusal } from './refresh-errors.js';

/**
 * One snapshot for the whole refresh. It only reads, so it cannot change the source whatever else goes wrong, and a
 * policy that would hide rows is an error instead. A part of the rows needs a temporary table beside it.
 */
export async function openSnapshot(source: Client, { isPart }: { isPart: boolean }): Promise<void> {
  await source.query(`SET statement_timeout = 0; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = 0;
    SET search_path = pg_catalog; SET row_security = off; ${TEXT_FORMS}`);
  if (isPart) await preparePicks(source);
  await source.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
}

const NO_RIGHT = '42501';

/** Also that row-level security would hide rows. @throws RefreshRefusal if the role of the source lacks a right */
export async function namingRights<T>(source: Client, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== NO_RIGHT) throw error;
    throw new RefreshRefusal(
      'SourceIsUnreadable',
      `source: ${error.message}, for the role ${source.user}; expected a superuser, or a role with BYPASSRLS and pg_read_all_data, and TEMPORARY for a part of the rows`,
    );
  }
}

/** @throws RefreshRefusal unless the source is a copy of an environment that feeds copies, and is not the target */
export async function assertOrigin(source: Client, target: Location): Promise<Stamp> {
  const stamp = await readStamp(source).catch((error: unknown) => {
    if (error instanceof IdentityError) return undefined;
    throw error;
  });
  const here = await readLocation(source);
  const where = `source "${here.databaseName}" on server ${here.systemIdentifier}`;
  if (here.systemIdentifier === target.systemIdentifier && here.databaseOid === target.databaseOid)
    throw new RefreshRefusal('SourceIsTarget', `${where}: is the target itself; expected another database`);
  if (!stamp)
    throw new RefreshRefusal(
      'SourceIsUnknown',
      `${where}: has no stamp, so its origin is unknown; expected a restored copy of ${feeders()}`,
    );
  if (!traitsOf(stamp.environment).feedsCopies)
    throw new RefreshRefusal(
      'SourceFeedsNoCopies',
      `${where}: is stamped ${stamp.environment}; expected a restored copy of ${feeders()}`,
    );
  if (findBrokenBindings(stamp, here).length === 0)
    throw new RefreshRefusal(
      'SourceIsOriginal',
      `${where}: is the original of ${stamp.environment} by its stamp; expected a copy, which a restore makes\n` +
        `  the original keeps its name; only on another server, a copy of the whole one, which no process uses:\n` +
        `  ALTER DATABASE ${escapeIdentifier(here.databaseName)} RENAME TO …`,
    );
  return stamp;
}

const feeders = () => listNames(environmentsWith('feedsCopies'));

/** @throws RefreshRefusal unless the source has exactly the migrations of this code */
export async function assertMigrations(source: Client, migrations: readonly Migration[]): Promise<void> {
  const applied = await loadLedger(source);
  const name = ({ name, sha256 }: { name: string; sha256: string }) => `${name} (${sha256.slice(0, 8)})`;
  const [here, there] = [migrations.map(name), applied.map(name)];
  const problems = [
    ...here.filter((one) => !there.includes(one)).map((one) => `${one} is not applied in the source`),
    ...there.filter((one) => !here.includes(one)).map((one) => `${one} is not part of this code`),
  ];
  refuseSchema(problems);
}

/** @throws RefreshRefusal unless each column that will be read is one of a plain table, with the type of the target */
export function assertSameColumns(plans: readonly TablePlan[], tables: readonly TableFacts[]): void {
  refuseSchema(
    plans.flatMap((plan) => {
      const found = tables.find(({ table }) => table === plan.table);
      if (found?.kind !== plan.kind) return [`${plan.table} is not such a table in the source`];
      return listSourceColumns(plan).flatMap((name) => {
        const [here, there] = [
          plan.columns.find((one) => one.name === name)!.facts.type,
          found.columns.find((one) => one.name === name)?.type,
        ];
        return here === there ? [] : [`${plan.table}.${name} is ${there ?? 'missing'} in the source, and ${here} here`];
      });
    }),
  );
}

function refuseSchema(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new RefreshRefusal(
    'SourceHasOtherSchema',
    [
      'source: its schema is not that of this code; expected the same migrations and columns',
      ...problems.map((problem) => `  ${problem}`),
      '  run the refresh from the release that serves the environment of the source, then migrate the result',
    ].join('\n'),
  );
}

/** An empty source is an unfinished restore: a copy of it would replace the rows of the target by nothing. */
export async function assertRows(source: Client, plans: readonly TablePlan[]): Promise<void> {
  const exists = plans.map(({ table }) => `EXISTS (SELECT FROM public.${escapeIdentifier(table)})`);
  const { rows } = await source.query<{ any: boolean }>(`SELECT ${exists.join(' OR ') || 'false'} AS any`);
  if (!rows[0]?.any)
    throw new RefreshRefusal('SourceIsEmpty', 'source: no table has a row; expected a complete restore');
}
