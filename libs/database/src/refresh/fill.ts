import { type Client, DatabaseError, escapeIdentifier } from 'pg';
import { readCatalogue, type RoleNames } from '../drift/catalogue.js';
import { findSchemaDrift, hasDrift } from '../drift/drift.js';
import type { Classes } from '../model/column-classes.js';
import { assertRows, assertSameColumns, namingRights } from './assert-source.js';
import { copyTable } from './copy-table.js';
import type { KeyedHash } from './masks/keyed-hash.js';
import type { Accepts } from './mask-rows.js';
import { pickRows } from './pick-rows.js';
import { planCopy, type TablePlan } from './plan-copy.js';
import { countRows, type OnProgress } from './row-progress.js';
import { readForeignKeys, readTables } from './read-tables.js';
import { RefreshFailure } from './refresh-errors.js';
import { startScan } from './scan.js';
import { advanceSequences, withoutChecks } from './suspend-checks.js';
import { createTurns, type InTurn } from './turns.js';

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
    await client.query('SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0');
  const [tables, foreignKeys] = [await readTables(target), await readForeignKeys(target)];
  const plans = planCopy({ tables, foreignKeys, classes }, hash);
  assertSameColumns(plans, await readTables(source));
  await namingRights(source, () => assertRows(source, plans));
  const picks =
    options.percent < 100 ? await pickRows(source, { ...options, plans, foreignKeys }) : new Map<string, string>();
  const before = await readCatalogue(target, roles);
  const rows: Record<string, number> = {};
  const inTurn = createTurns();
  const scan = await startScan({ ...options, target: reader, foreignKeys, inTurn });
  const copying = { ...options, rows, picks, inTurn, onCopied: scan.check };
  await namingConstraints(() => withoutChecks(target, () => copyAll(plans, copying)));
  await advanceSequences(target);
  const drift = findSchemaDrift(before, await readCatalogue(target, roles));
  if (hasDrift(drift))
    throw new RefreshFailure(
      'SchemaChanged',
      `the copy: its schema is not the one that the migrations created: ${JSON.stringify(drift)}`,
    );
  // The statistics are for those who use the copy.
  const [scannedColumns] = await Promise.all([scan.finish(), probe.query('ANALYZE')]);
  return { rows, scannedColumns };
}

async function copyAll(
  plans: readonly TablePlan[],
  options: FillOptions & {
    rows: Record<string, number>;
    picks: ReadonlyMap<string, string>;
    inTurn: InTurn;
    onCopied: (table: string) => void;
  },
): Promise<void> {
  const { source, target, probe, rows, picks, inTurn, onCopied, onProgress } = options;
  const accepts: Accepts = async (type, values) => {
    const { rows: verdicts } = await probe.query<{ ok: boolean }>(ACCEPTS, [values, type]);
    return verdicts.map(({ ok }) => ok);
  };
  const progress = countRows(await estimateRows(source, plans), onProgress);
  for (const plan of plans) {
    rows[plan.table] = 0;
    const onRows = (count: number) => {
      rows[plan.table]! += count;
      progress(plan.table, count);
    };
    const where = picks.get(plan.table);
    await inTurn(() => copyTable(plan, { source, target, accepts, onRows, where }));
    onCopied(plan.table);
  }
}

/** A message about a key quotes the values of a row, even though masked; its name is enough. */
async function namingConstraints(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    const { code, constraint, table, message } = error;
    throw new RefreshFailure(
      'CopyFailed',
      `${table ?? 'the copy'}: ${constraint ? `constraint ${constraint} does not hold for the masked rows` : `PostgreSQL error ${code}: ${message}`}; expected masks that keep it`,
    );
  }
}

/** From the statistics: counting takes as long as copying. */
async function estimateRows(source: Client, plans: readonly TablePlan[]): Promise<number> {
  const { rows } = await source.query<{ rows: number }>(
    `SELECT coalesce(sum(greatest(reltuples, 0)), 0)::pg_catalog.float8 AS rows FROM pg_catalog.pg_class WHERE oid = ANY ($1::pg_catalog.regclass[])`,
    [plans.map(({ table }) => `public.${escapeIdentifier(table)}`)],
  );
  return rows[0]?.rows ?? 0;
}

const ACCEPTS = `
  SELECT pg_catalog.pg_input_is_valid(value, $2) AS ok
    FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS given (value, place) ORDER BY place`;
