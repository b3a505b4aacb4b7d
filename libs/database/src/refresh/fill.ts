import { type Client, DatabaseError, escapeIdentifier } from 'pg';
import { readCatalogue, type RoleNames } from '../drift/catalogue.js';
import { findSchemaDrift, hasDrift } from '../drift/drift.js';
import type { Classes } from '../model/column-classes.js';
import { assertRows, assertSameColumns, namingRights } from './assert-source.js';
import { TEXT_FORMS } from './copy-text.js';
import { copyTable } from './copy-table.js';
import type { KeyedHash } from './masks/keyed-hash.js';
import { type Accepts, listSourceColumns } from './mask-rows.js';
import { pickRows } from './pick-rows.js';
import { planCopy, type TablePlan } from './plan-copy.js';
import { countRows, type OnProgress } from './row-progress.js';
import { readForeignKeys, readTables } from './read-tables.js';
import { RefreshFailure } from './refresh-errors.js';
import { type Scan, startScan } from './scan.js';
import { describeLoss, describeShortage, isEnded, isShortage } from './lost-session.js';
import { advanceSequences, withoutChecks } from './suspend-checks.js';

export interface FillOptions {
  /** With an open snapshot. */
  readonly source: Client;
  /** A migrated database without rows, as the owner of its schema. */
  readonly target: Client;
  /** Another session of it, which answers while the first one writes. */
  readonly probe: Client;
  /** A third one, which reads what is complete. */
  readonly reader: Client;
  readonly classes: Classes;
  readonly hash: KeyedHash;
  readonly roles: RoleNames;
  readonly canaries: readonly string[];
  /** Of the persons whose rows are copied. */
  readonly percent: number;
  readonly onProgress?: OnProgress | undefined;
}

export interface Filled {
  /** The number of rows of each table. */
  readonly rows: Readonly<Record<string, number>>;
  readonly scannedColumns: number;
}

export async function fill(options: FillOptions): Promise<Filled> {
  const { source, target, probe, reader, classes, hash, roles } = options;
  for (const client of [target, probe, reader])
    await client.query(
      `SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; ${TEXT_FORMS}`,
    );
  const [tables, foreignKeys] = [await readTables(target), await readForeignKeys(target)];
  const plans = planCopy({ tables, foreignKeys, classes }, hash);
  assertSameColumns(plans, await readTables(source));
  await namingRights(source, () => assertRows(source, plans));
  const picks =
    options.percent < 100 ? await pickRows(source, { ...options, plans, foreignKeys }) : new Map<string, string>();
  const before = await readCatalogue(target, roles);
  const rows: Record<string, number> = {};
  let scannedColumns = 0;
  await namingConstraints(() =>
    withoutChecks(target, async (restoreIndexes) => {
      const scan = await startScan({ ...options, target: reader, foreignKeys });
      const finishTable = async (table: string) => {
        await restoreIndexes(reader, table);
        // The statistics are for those who use the copy.
        await reader.query(`ANALYZE public.${escapeIdentifier(table)}`);
      };
      await copyAll(plans, { ...options, rows, picks, scan, finishTable });
      scannedColumns = await scan.finish();
    }),
  );
  await advanceSequences(target);
  const drift = findSchemaDrift(before, await readCatalogue(target, roles));
  if (hasDrift(drift))
    throw new RefreshFailure(
      'SchemaChanged',
      `the copy: its schema is not the one that the migrations created: ${JSON.stringify(drift)}`,
    );
  return { rows, scannedColumns };
}

async function copyAll(
  plans: readonly TablePlan[],
  options: FillOptions & {
    rows: Record<string, number>;
    picks: ReadonlyMap<string, string>;
    scan: Scan;
    /** While the next table is copied. */
    finishTable: (table: string) => Promise<void>;
  },
): Promise<void> {
  const { source, target, probe, rows, picks, scan, finishTable, onProgress } = options;
  const accepts: Accepts = async (type, values) => {
    const { rows: verdicts } = await probe.query<{ ok: boolean }>(ACCEPTS, [values, type]);
    return verdicts.map(({ ok }) => ok);
  };
  const sizes = await estimateRows(source, plans);
  const progress = countRows(
    [...sizes.values()].reduce((sum, size) => sum + size, 0),
    onProgress,
  );
  // The last table has no next one, so it is the smallest.
  const sorted = plans.toSorted((a, b) => (sizes.get(b.table) ?? 0) - (sizes.get(a.table) ?? 0));
  let finishing = Promise.resolve();
  for (const plan of sorted) {
    const { table } = plan;
    rows[table] = 0;
    const onRows = (count: number) => {
      rows[table]! += count;
      progress(table, count);
    };
    const watch = scan.watch(table, listSourceColumns(plan), picks.get(table));
    await copyTable(plan, { source, target, accepts, onRows, where: picks.get(table), watch });
    await finishing;
    await scan.check(table);
    finishing = finishTable(table);
    // The next turn reports it.
    finishing.catch(() => undefined);
  }
  await finishing;
}

/** A message about a key quotes the values of a row, even though masked; its name is enough. */
async function namingConstraints(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isEnded(error)) throw describeLoss('target', 'the copy', error);
    if (!(error instanceof DatabaseError)) throw error;
    const { code, constraint, table, message } = error;
    if (isShortage(error)) throw describeShortage(table ?? 'the copy', error);
    throw new RefreshFailure(
      'CopyFailed',
      `${table ?? 'the copy'}: ${constraint ? `constraint ${constraint} does not hold for the masked rows` : `PostgreSQL error ${code}: ${message}`}; expected masks that keep it`,
    );
  }
}

/** From the statistics: counting takes as long as copying. */
async function estimateRows(source: Client, plans: readonly TablePlan[]): Promise<ReadonlyMap<string, number>> {
  const { rows } = await source.query<{ name: string; size: number }>(
    `SELECT relname::text AS name, greatest(reltuples, 0)::pg_catalog.float8 AS size FROM pg_catalog.pg_class WHERE oid = ANY ($1::pg_catalog.regclass[])`,
    [plans.map(({ table }) => `public.${escapeIdentifier(table)}`)],
  );
  return new Map(rows.map(({ name, size }) => [name, size]));
}

const ACCEPTS = `
  SELECT pg_catalog.pg_input_is_valid(value, $2) AS ok
    FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS given (value, place) ORDER BY place`;
