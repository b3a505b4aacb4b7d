import { type Client, escapeIdentifier } from 'pg';
import { type KeyedHash, toBytes } from './masks/keyed-hash.js';
import type { TablePlan } from './plan-copy.js';
import type { ForeignKey } from './read-tables.js';

interface PickOptions {
  readonly plans: readonly TablePlan[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly percent: number;
  readonly hash: KeyedHash;
}

const HUNDREDTHS = 100;
const PICKED = 'SELECT part, place FROM pg_temp.picked_rows';

/** Before the snapshot: a transaction that only reads may fill a temporary table, and may not create it. */
export async function preparePicks(source: Client): Promise<void> {
  await source.query(`DROP TABLE IF EXISTS pg_temp.picked_rows;
    CREATE TEMP TABLE picked_rows (part oid, place tid, PRIMARY KEY (part, place))`);
}

/**
 * Chooses whole persons by a hash, so that every run has the same ones, then the rows that belong to chosen rows alone,
 * then every row that a chosen one points at. A table that leads to no person is copied as a whole.
 *
 * @returns for each table the condition of its rows
 */
export async function pickRows(source: Client, options: PickOptions): Promise<ReadonlyMap<string, string>> {
  const { plans } = options;
  const chosen = new Set(plans.filter(({ person }) => person !== undefined).map(({ table }) => table));
  for (const plan of plans)
    if (plan.person !== undefined) await source.query(describePersons(plan, plan.person, options));
  for (const table of listFollowers(options, chosen)) {
    const keys = options.foreignKeys.filter(
      (key) => key.table === table && key.target !== table && chosen.has(key.target),
    );
    await source.query(describeFollowers(table, keys));
    chosen.add(table);
  }
  const keys = options.foreignKeys.filter(
    ({ table, target }) => chosen.has(target) && plans.some((plan) => plan.table === table),
  );
  for (let added = 1; added > 0;) {
    added = 0;
    for (const key of keys) added += (await source.query(describeTargets(key, chosen.has(key.table)))).rowCount ?? 0;
  }
  return new Map([...chosen].map((table) => [table, `WHERE (t.tableoid, t.ctid) IN (${PICKED})`]));
}

/** Tables that lead to a person through their keys, those of a known table first. */
function listFollowers({ plans, foreignKeys }: PickOptions, chosen: ReadonlySet<string>): string[] {
  const followers = new Set<string>();
  for (let count = -1; count !== followers.size;) {
    count = followers.size;
    for (const { table, target } of foreignKeys)
      if (
        !chosen.has(table) &&
        (chosen.has(target) || followers.has(target)) &&
        plans.some((plan) => plan.table === table)
      )
        followers.add(table);
  }
  return [...followers];
}

function describePersons({ table }: TablePlan, person: string, { percent, hash }: PickOptions): string {
  const seed = toBytes(hash.digest('choice', '')).readBigInt64BE();
  const column = `t.${escapeIdentifier(person)}`;
  const number = `pg_catalog.hashtextextended(${column}::pg_catalog.text COLLATE pg_catalog."C", ${seed}) & 9223372036854775807`;
  return `${insert(table)} WHERE ${column} IS NULL OR (${number}) % ${100 * HUNDREDTHS} < ${Math.round(percent * HUNDREDTHS)} ${ONCE}`;
}

/** A row belongs to the persons of every row that it points at. */
function describeFollowers(table: string, keys: readonly ForeignKey[]): string {
  const conditions = keys.map((key) => {
    const isNull = key.columns.map((column) => `t.${escapeIdentifier(column)} IS NULL`).join(' OR ');
    return `(${isNull} OR EXISTS (SELECT FROM public.${escapeIdentifier(key.target)} o WHERE ${match(key, 't', 'o')} AND (o.tableoid, o.ctid) IN (${PICKED})))`;
  });
  return `${insert(table)} WHERE ${conditions.join(' AND ')} ${ONCE}`;
}

function describeTargets(key: ForeignKey, isChosen: boolean): string {
  const condition = isChosen ? `AND (c.tableoid, c.ctid) IN (${PICKED})` : '';
  return `${insert(key.target)} WHERE EXISTS (SELECT FROM public.${escapeIdentifier(key.table)} c WHERE ${match(key, 'c', 't')} ${condition})
    AND (t.tableoid, t.ctid) NOT IN (${PICKED}) ${ONCE}`;
}

const insert = (table: string) =>
  `INSERT INTO pg_temp.picked_rows SELECT t.tableoid, t.ctid FROM public.${escapeIdentifier(table)} t`;
const ONCE = 'ON CONFLICT DO NOTHING';

function match({ columns, targetColumns }: ForeignKey, from: string, to: string): string {
  return columns
    .map((column, place) => `${from}.${escapeIdentifier(column)} = ${to}.${escapeIdentifier(targetColumns[place]!)}`)
    .join(' AND ');
}
