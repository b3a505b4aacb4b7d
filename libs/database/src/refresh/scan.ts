import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Client, escapeIdentifier } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { Classes } from '../model/column-classes.js';
import { createFieldReader, type FieldsOfRow } from './copy-fields.js';
import { decodeCopyText, encodeCopyText, TEXT_FORMS } from './copy-text.js';
import { HashSet, MOST_HASHES } from './hash-set.js';
import type { ForeignKey } from './read-tables.js';
import { RefreshFailure } from './refresh-errors.js';
import { createHasher, SHORTEST_VALUE } from './scan-hashes.js';
import { createPatterns } from './scan-patterns.js';
import { listScanned, type ScannedColumn, type ScannedTable } from './scanned-columns.js';

export interface ScanOptions {
  readonly source: Client;
  readonly target: Client;
  readonly classes: Classes;
  readonly foreignKeys: readonly ForeignKey[];
  /** Texts that the source holds and no row of the result may. */
  readonly canaries: readonly string[];
  /** As many as fit into memory. */
  readonly mostHashes?: number;
}

export interface Scan {
  /** @returns a function that takes the rows of the table as the source sends them, in the text format of COPY */
  readonly watch: (table: string, columns: readonly string[], where?: string) => (chunk: Buffer) => void;
  /** Reads a table that is complete, before another one is watched. */
  readonly check: (table: string) => Promise<void>;
  /**
   * Checks every other table too.
   *
   * @returns the number of columns that were compared
   * @throws RefreshFailure that lists every finding, without a value
   */
  readonly finish: () => Promise<number>;
}

/**
 * Looks for what must not be there, without knowing how anything was masked: it shares no list of types and no plan with
 * the masks. It sees the bytes of the source before the masks do, and reads the result from its server.
 */
export async function startScan(options: ScanOptions): Promise<Scan> {
  const { target } = options;
  await target.query(`${TEXT_FORMS}; SET row_security = off; SET synchronize_seqscans = off`);
  // Rows without a key are known by their order.
  await target.query('SET max_parallel_workers_per_gather = 0');
  const tables = await listScanned(options);
  const open = new Map(tables.map((table) => [table.name, table]));
  const hashes = new HashSet(options.mostHashes);
  const findings: string[] = [];
  let watched: (Crossed & { readonly table: string }) | undefined;
  const check = async (name: string) => {
    const table = open.get(name);
    if (!table || !open.delete(name)) return;
    const { columns, where } = watched?.table === name ? watched : { columns: [], where: '' };
    findings.push(...(await checkTable(table, { ...options, columns, where, hashes })));
  };
  return {
    watch: (name, columns, where = '') => {
      watched = { table: name, columns, where };
      hashes.clear();
      const table = tables.find((one) => one.name === name)!;
      const hash = createHasher(table, { names: columns, side: 'source', crossed: columns }, (_, high, low) =>
        hashes.add(high, low),
      );
      return createFieldReader(columns.length, hash);
    },
    check,
    finish: async () => {
      for (const name of [...open.keys()]) await check(name);
      refuseFindings(findings);
      return tables.reduce((sum, { columns }) => sum + columns.filter(isCompared).length, 0);
    },
  };
}

interface Crossed {
  readonly columns: readonly string[];
  /** The condition of the rows. */
  readonly where: string;
}

/** The part of a table that crossed. */
interface Context extends ScanOptions, Crossed {
  /** Of their values in the source. */
  readonly hashes: HashSet;
}

async function checkTable(table: ScannedTable, context: Context): Promise<string[]> {
  const { target, columns, hashes, canaries } = context;
  const read = table.columns.filter(
    (column) => canaries.length > 0 || column.mayHoldText || isCompared(column) || column.name === table.key,
  );
  if (read.length === 0) return [];
  const names = read.map(({ name }) => name);
  const found = names.map(() => 0);
  const compare = createHasher(table, { names, side: 'result', crossed: columns }, (place, high, low) => {
    if (hashes.findFirst(high, low)) found[place]! += 1;
  });
  const others = collectOthers(read, columns);
  const patterns = createPatterns(read);
  const canary = countCanaries(canaries);
  let rows = 0;
  await readRows(target, describeRows(table, names), names.length, (fields) => {
    rows += 1;
    compare(fields);
    patterns.look(fields);
    others.look(fields);
    canary.look(fields);
  });
  if (hashes.isSampled && rows <= MOST_COMPARED_ROWS)
    for (const group of groupColumns(read, rows, context))
      for (const [name, count] of await compareAgain(table, group, context)) found[names.indexOf(name)] = count;
  for (const [name, values] of others.values)
    found[names.indexOf(name)] = await countInSource(table, name, { values, context });
  return [
    ...names.flatMap((name, place) =>
      found[place]! > 0 ? [`${table.name}.${name}: ${found[place]} values are those of the source`] : [],
    ),
    ...patterns.list().map((finding) => `${table.name}.${finding}`),
    ...(canary.count() > 0 ? [`${table.name}: ${canary.count()} rows hold a canary`] : []),
  ];
}

/** Of this many rows, every value is compared. */
const MOST_COMPARED_ROWS = 200_000;

/** As many columns at once as fit into memory. One that holds many values has it for itself. */
function groupColumns(read: readonly ScannedColumn[], rows: number, context: Context): string[][] {
  const { columns, mostHashes = MOST_HASHES } = context;
  const compared = read.filter((column) => isCompared(column) && columns.includes(column.name));
  const plain = compared.filter(({ holds }) => holds === 'one').map(({ name }) => name);
  const size = Math.max(1, Math.floor(mostHashes / rows));
  return [
    ...compared.filter(({ holds }) => holds !== 'one').map(({ name }) => [name]),
    ...Array.from({ length: Math.ceil(plain.length / size) }, (_, at) => plain.slice(at * size, (at + 1) * size)),
  ];
}

/** @returns how many values of each column are those of the source */
async function compareAgain(
  table: ScannedTable,
  of: readonly string[],
  { source, target, columns, where, hashes }: Context,
): Promise<ReadonlyMap<string, number>> {
  const names = table.key === undefined || of.includes(table.key) ? of : [table.key, ...of];
  const found = new Map(of.map((name) => [name, 0]));
  const reading = { names, crossed: columns, of };
  hashes.clear();
  const add = createHasher(table, { ...reading, side: 'source' }, (_, high, low) => hashes.add(high, low));
  await readRows(source, describeRows(table, names, where), names.length, add);
  const compare = createHasher(table, { ...reading, side: 'result' }, (place, high, low) => {
    if (hashes.findFirst(high, low)) found.set(names[place]!, found.get(names[place]!)! + 1);
  });
  await readRows(target, describeRows(table, names), names.length, compare);
  return found;
}

function describeRows({ name, hasOrder }: ScannedTable, names: readonly string[], where = ''): string {
  const list = names.map((column) => `t.${escapeIdentifier(column)}`).join(', ');
  return `COPY (SELECT ${list} FROM ${hasOrder ? 'ONLY ' : ''}public.${escapeIdentifier(name)} t ${where}) TO STDOUT`;
}

async function readRows(client: Client, sql: string, count: number, onRow: (fields: FieldsOfRow) => void) {
  const take = createFieldReader(count, onRow);
  await pipeline(
    client.query(copyTo(sql)),
    new Writable({
      write(chunk: Buffer, _, done) {
        take(chunk);
        done();
      },
    }),
  );
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

/** Of a column that does not cross, such as a secret one: its default has few. */
const MOST_OTHERS = 10_000;

/** Values of protected columns that the source did not send. They are none, or the default of the column. */
function collectOthers(read: readonly ScannedColumn[], columns: readonly string[]) {
  const values = new Map<string, Set<string>>();
  const places = [...read.keys()].filter(
    (place) => read[place]!.by === 'value' && !columns.includes(read[place]!.name),
  );
  return {
    values,
    look: ({ isNull, lengths, text }: FieldsOfRow) => {
      for (const place of places) {
        if (isNull[place] || lengths[place]! < SHORTEST_VALUE) continue;
        const { name } = read[place]!;
        const known = values.get(name) ?? new Set();
        values.set(name, known);
        if (known.size < MOST_OTHERS) known.add(foldCase(decodeCopyText(text(place)).trimEnd()));
      }
    },
  };
}

async function countInSource(
  table: ScannedTable,
  column: string,
  { values, context }: { values: ReadonlySet<string>; context: Context },
): Promise<number> {
  const { rows } = await context.source.query<{ found: number }>(
    `SELECT count(*)::pg_catalog.float8 AS found FROM pg_catalog.unnest($1::pg_catalog.text[]) v (value)
      WHERE EXISTS (SELECT FROM public.${escapeIdentifier(table.name)} t
                     WHERE pg_catalog.lower(pg_catalog.rtrim(t.${escapeIdentifier(column)}::pg_catalog.text) COLLATE pg_catalog."C") = v.value COLLATE pg_catalog."C")`,
    [[...values]],
  );
  return rows[0]!.found;
}

/** As the collation C does. */
const foldCase = (text: string) => text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());

function countCanaries(canaries: readonly string[]) {
  const texts = canaries.flatMap((canary) => [
    encodeCopyText(canary).toLowerCase(),
    Buffer.from(canary).toString('hex'),
  ]);
  let count = 0;
  return {
    count: () => count,
    look: ({ wholeText }: FieldsOfRow) => {
      if (texts.length === 0) return;
      const row = wholeText().toLowerCase();
      if (texts.some((text) => row.includes(text))) count += 1;
    },
  };
}
