import { pipeline } from 'node:stream/promises';
import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Classes } from '../model/column-classes.js';
import type { ForeignKey } from './read-tables.js';
import { RefreshFailure } from './refresh-errors.js';
import { findPatterns } from './scan-patterns.js';
import { listScanned, type ScannedColumn, type ScannedTable } from './scanned-columns.js';

export interface ScanOptions {
  readonly source: Client;
  readonly target: Client;
  readonly classes: Classes;
  readonly foreignKeys: readonly ForeignKey[];
  /** Texts that the source holds and no row of the result may. */
  readonly canaries: readonly string[];
}

/** Of a larger table, every n-th value is compared, by its hash: the same ones on both sides. */
const MOST_COMPARED_ROWS = 200_000;

/**
 * Looks for what must not be there, without knowing how anything was masked: it shares no list of types and no plan with
 * the masks, and compares hashes that the servers compute.
 *
 * @returns the number of columns that were compared
 * @throws RefreshFailure that lists every finding, without a value
 */
export async function scan(options: ScanOptions): Promise<number> {
  const tables = await listScanned(options);
  const findings: string[] = [];
  for (const table of tables) {
    findings.push(...(await findEqualValues(table, options)));
    findings.push(...(await findPatterns(options.target, table)));
    findings.push(...(await findCanaries(table, options)));
  }
  if (findings.length === 0) return tables.reduce((sum, { columns }) => sum + columns.filter(isCompared).length, 0);
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

/** @returns the columns in which the result and the source share a value, or a row kept its value */
async function findEqualValues(table: ScannedTable, { source, target }: ScanOptions): Promise<string[]> {
  const compared = table.columns.map((column, place) => ({ ...column, place })).filter(isCompared);
  if (compared.length === 0) return [];
  const step = Math.max(1, Math.ceil(table.rows / MOST_COMPARED_ROWS));
  await target.query(
    'DROP TABLE IF EXISTS pg_temp.source_values; CREATE TEMP TABLE source_values (place int, hash int8)',
  );
  const sourceHashes = compared
    .map((column) => describeHashes(table, column, { step, kept: false }))
    .join(' UNION ALL ');
  const targetHashes = compared
    .map((column) => describeHashes(table, column, { step, kept: true }))
    .join(' UNION ALL ');
  await pipeline(
    source.query(copyTo(`COPY (${sourceHashes}) TO STDOUT`)),
    target.query(copyFrom('COPY pg_temp.source_values FROM STDIN')),
  );
  await target.query('ANALYZE pg_temp.source_values');
  const { rows } = await target.query<{ place: number; found: number }>(`
    SELECT place, count(DISTINCT hash)::pg_catalog.float8 AS found FROM (${targetHashes}) here (place, hash)
     WHERE (place, hash) IN (SELECT place, hash FROM pg_temp.source_values) GROUP BY place ORDER BY place`);
  await target.query('DROP TABLE pg_temp.source_values');
  return rows.map(
    ({ place, found }) => `${table.name}.${table.columns[place]!.name}: ${found} values are those of the source`,
  );
}

/** Rows of (place, hash): one for each value of the column, each element of an array and each leaf of a document. */
function describeHashes(
  table: ScannedTable,
  { name, by, values, keptPaths, place }: ScannedColumn & { place: number },
  { step, kept }: { step: number; kept: boolean },
): string {
  const column = `t.${escapeIdentifier(name)}`;
  // By row, the hash holds the key too: only the same row can have the same.
  const text =
    by === 'row'
      ? `pg_catalog.concat(t.${escapeIdentifier(table.key!)}, ' ', v.value)`
      : 'pg_catalog.lower(v.value COLLATE pg_catalog."C")';
  const hash = `pg_catalog.hashtextextended(${text} COLLATE pg_catalog."C", 0)`;
  const conditions = [
    'v.value IS NOT NULL',
    ...(by === 'value' ? [`pg_catalog.length(v.value) >= ${SHORTEST_VALUE}`] : []),
    ...(step > 1 ? [`${hash} % ${step} = 0`] : []),
    // What a path keeps is meant to be equal.
    ...(kept
      ? keptPaths.map(
          (path) =>
            `NOT pg_catalog.jsonb_path_exists(${column}::pg_catalog.jsonb, ${escapeLiteral(`${path} ? (@ == $value)`)}, pg_catalog.jsonb_build_object('value', v.leaf))`,
        )
      : []),
  ];
  return `SELECT ${place}, ${hash} FROM public.${escapeIdentifier(table.name)} t CROSS JOIN LATERAL ${values(column)} v WHERE ${conditions.join(' AND ')}`;
}

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
