import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { Classes } from '../model/column-classes.js';
import { describeLoss, isLoss } from './source-loss.js';
import { type OnHash, readHashRows } from './hash-rows.js';
import { HashSet, MOST_HASHES } from './hash-set.js';
import type { ForeignKey } from './read-tables.js';
import { RefreshFailure } from './refresh-errors.js';
import { findPatterns } from './scan-patterns.js';
import { listScanned, type ScannedColumn, type ScannedTable } from './scanned-columns.js';
import type { InTurn } from './turns.js';

export interface ScanOptions {
  readonly source: Client;
  /** For the source, which others may use in between. */
  readonly inTurn: InTurn;
  readonly target: Client;
  readonly classes: Classes;
  readonly foreignKeys: readonly ForeignKey[];
  /** Texts that the source holds and no row of the result may. */
  readonly canaries: readonly string[];
}

export interface Scan {
  /** Begins with a table that is complete, while others are still copied. */
  readonly check: (table: string) => void;
  /**
   * Checks every other table too.
   *
   * @returns the number of columns that were compared
   * @throws RefreshFailure that lists every finding, without a value
   */
  readonly finish: () => Promise<number>;
}

/** Of this many rows, every value is compared; of more, as many as fit into memory, the same ones on both sides. */
const MOST_COMPARED_ROWS = 200_000;

/**
 * Looks for what must not be there, without knowing how anything was masked: it shares no list of types and no plan with
 * the masks, and compares hashes that the servers compute.
 */
export async function startScan(options: ScanOptions): Promise<Scan> {
  const tables = await listScanned(options);
  const context = { ...options, hashes: new HashSet() };
  const open = new Map(tables.map((table) => [table.name, table]));
  let findings: Promise<readonly string[]> = Promise.resolve([]);
  const check = (name: string) => {
    const table = open.get(name);
    if (!table || !open.delete(name)) return;
    findings = findings.then(async (known) => [...known, ...(await scanTable(table, context))]);
    // `finish` reports it.
    findings.catch(() => undefined);
  };
  return {
    check,
    finish: async () => {
      for (const name of open.keys()) check(name);
      refuseFindings(await findings);
      return tables.reduce((sum, { columns }) => sum + columns.filter(isCompared).length, 0);
    },
  };
}

interface Context extends ScanOptions {
  /** One for all tables. */
  readonly hashes: HashSet;
}

async function scanTable(table: ScannedTable, context: Context): Promise<string[]> {
  const groups = await groupColumns(table, context);
  const findings: string[] = [];
  for (const [index, columns] of groups.entries()) {
    // Two servers, or two processes of one, work at the same time.
    const [, found] = await Promise.all([
      readSource(table, columns, context),
      index === 0 ? findTexts(table, context) : [],
    ]);
    findings.push(...found, ...(await findEqualValues(table, columns, context)));
  }
  return groups.length > 0 ? findings : findTexts(table, context);
}

async function findTexts(table: ScannedTable, context: Context): Promise<string[]> {
  return [...(await findPatterns(context.target, table)), ...(await findCanaries(table, context))];
}

function refuseFindings(findings: readonly string[]): void {
  if (findings.length === 0) return;
  throw new RefreshFailure(
    'LeakFound',
    [
      `the copy: holds ${findings.length} things that it must not; expected no value of a person, and the target was not changed`,
      ...findings.map((finding) => `  ${finding}`),
      '  correct the classes beside the entity, in libs/model/src/entities/',
    ].join('\n'),
  );
}

const isCompared = ({ by }: ScannedColumn) => by !== 'nothing';

/** As many columns at once as fit into memory. */
async function groupColumns(table: ScannedTable, { target }: Context): Promise<ScannedColumn[][]> {
  const compared = table.columns.filter(isCompared);
  if (compared.length === 0) return [];
  const rows = Math.min(await countRows(table, target), MOST_COMPARED_ROWS);
  const size = Math.max(1, Math.floor(MOST_HASHES / Math.max(1, rows)));
  return Array.from({ length: Math.ceil(compared.length / size) }, (_, index) =>
    compared.slice(index * size, (index + 1) * size),
  );
}

async function readSource(table: ScannedTable, columns: readonly ScannedColumn[], context: Context): Promise<void> {
  const { source, hashes, inTurn } = context;
  hashes.clear();
  const read = () =>
    readHashes(source, describeHashes(table, columns, 'source'), (_, high, low) => hashes.add(high, low));
  await inTurn(read).catch((error: unknown) => {
    throw isLoss(error) ? describeLoss(table.name, error) : error;
  });
}

/** @returns the columns in which the result and the source share a value, or a row kept its value */
async function findEqualValues(
  table: ScannedTable,
  columns: readonly ScannedColumn[],
  { target, hashes }: Context,
): Promise<string[]> {
  const found = columns.map(() => 0);
  await readHashes(target, describeHashes(table, columns, 'target'), (column, high, low) => {
    if (hashes.findFirst(high, low)) found[column]! += 1;
  });
  return columns.flatMap(({ name }, index) =>
    found[index]! > 0 ? [`${table.name}.${name}: ${found[index]} values are those of the source`] : [],
  );
}

const readHashes = (client: Client, query: string, onHash: OnHash) => readHashRows(client.query(copyTo(query)), onHash);

/** The statistics do not exist yet. */
async function countRows({ name }: ScannedTable, target: Client): Promise<number> {
  const { rows } = await target.query<{ rows: number }>(
    `SELECT count(*)::pg_catalog.float8 AS rows FROM public.${escapeIdentifier(name)}`,
  );
  return rows[0]!.rows;
}

type Side = 'source' | 'target';

/** For each row of the table, the hashes of its columns: an array for the elements of an array and the leaves of a document. */
function describeHashes(table: ScannedTable, columns: readonly ScannedColumn[], side: Side): string {
  const hashes = columns.map((column, place) => describeHash(table, column, { place, side }));
  return `COPY (SELECT ${hashes.join(', ')} FROM public.${escapeIdentifier(table.name)} t) TO STDOUT (FORMAT binary)`;
}

function describeHash(
  { key }: ScannedTable,
  { name, by, isMany, values, text, keptPaths }: ScannedColumn,
  { place, side }: { place: number; side: Side },
): string {
  const column = `t.${escapeIdentifier(name)}`;
  const hash = (value: string) => {
    // By row, the hash holds the key too: only the same row can have the same.
    const hashed =
      by === 'row'
        ? `pg_catalog.concat(t.${escapeIdentifier(key!)}, ' ', ${value})`
        : `pg_catalog.lower(${value} COLLATE pg_catalog."C")`;
    // The seed is the place: a value of one column is not found in another one.
    return `pg_catalog.hashtextextended(${hashed} COLLATE pg_catalog."C", ${place})`;
  };
  const isHashed = (value: string) =>
    by === 'value' ? `pg_catalog.length(${value}) >= ${SHORTEST_VALUE}` : `${value} IS NOT NULL`;
  if (!isMany) return `CASE WHEN ${isHashed(text(column))} THEN ${hash(text(column))} END`;
  // What a path keeps is meant to be equal.
  const kept = side === 'target' ? keptPaths.map((path) => describeKept(column, path)) : [];
  const isNotKept = kept.length > 0 ? `AND v.leaf <> ALL (ARRAY(${kept.join(' UNION ALL ')}))` : '';
  return `ARRAY(SELECT ${hash('v.value')} FROM ${values(column)} v WHERE ${isHashed('v.value')} ${isNotKept})`;
}

const describeKept = (column: string, path: string) =>
  `SELECT pg_catalog.jsonb_path_query(${column}::pg_catalog.jsonb, ${escapeLiteral(path)})`;

/** A shorter text may be that of another row by chance. */
const SHORTEST_VALUE = 6;

async function findCanaries({ name }: ScannedTable, { target, canaries }: ScanOptions): Promise<string[]> {
  if (canaries.length === 0) return [];
  const texts = canaries.flatMap((canary) => [canary.toLowerCase(), Buffer.from(canary).toString('hex')]);
  const { rows } = await target.query<{ found: number }>(
    `SELECT count(*)::pg_catalog.float8 AS found FROM public.${escapeIdentifier(name)} t
      WHERE EXISTS (SELECT FROM pg_catalog.unnest($1::pg_catalog.text[]) c WHERE pg_catalog.strpos(pg_catalog.lower(t::pg_catalog.text), c) > 0)`,
    [texts],
  );
  return rows[0]!.found > 0 ? [`${name}: ${rows[0]!.found} rows hold a canary`] : [];
}
