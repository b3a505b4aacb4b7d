import { isUtf8 } from 'node:buffer';
import type { ClientBase } from 'pg';
import type { Classes, ColumnClass } from '../model/column-classes.js';
import type { ForeignKey } from './read-tables.js';

export interface ScannedColumn {
  readonly name: string;
  /**
   * `value`: no value of the column may be one of the source's. `row`: for values that many rows share, such as dates:
   * no row may keep its own. `nothing`: not about a person, or without a way to find the row again.
   */
  readonly by: 'value' | 'row' | 'nothing';
  /** One value, the elements of an array, the fields of a composite type, or the leaves of a document. */
  readonly holds: 'one' | 'elements' | 'fields' | 'leaves';
  /** Its text is that of bytes. */
  readonly isEncoded: boolean;
  /** The names of properties on the way to what the class keeps. */
  readonly keptPaths: readonly (readonly string[])[];
  /** An address in it would be a finding: it may hold text, and its class is not public. */
  readonly mayHoldText: boolean;
}

export interface ScannedTable {
  readonly name: string;
  /** A column that identifies a row in the source and in the result. */
  readonly key: string | undefined;
  /** Its rows are read in the order in which they were written. */
  readonly hasOrder: boolean;
  readonly columns: readonly ScannedColumn[];
}

interface Found {
  readonly table: string;
  readonly kind: string;
  readonly key: string | null;
  readonly columns: readonly {
    readonly name: string;
    readonly isArray: boolean;
    /** Of the elements of an array. */
    readonly category: string;
    readonly element: string;
  }[];
}

/** From the catalogue of the result and the classes alone. */
export async function listScanned({
  target,
  classes,
  foreignKeys,
}: {
  target: ClientBase;
  classes: Classes;
  foreignKeys: readonly ForeignKey[];
}): Promise<ScannedTable[]> {
  const { rows } = await target.query<Found>(COLUMNS);
  return rows.map(({ table, kind, key, columns }) => {
    const isKept = key !== null && !isProtected(classOf({ table, column: key }, { classes, foreignKeys }));
    return {
      name: table,
      key: isKept ? key : undefined,
      hasOrder: kind === 'r',
      columns: columns.map((column) => {
        const of = classOf({ table, column: column.name }, { classes, foreignKeys });
        return {
          name: column.name,
          by: isProtected(of) ? chooseWay(column.category, of, isKept || kind === 'r') : ('nothing' as const),
          holds: whatHolds(column),
          isEncoded: column.element === 'bytea',
          keptPaths: listKeptPaths(of),
          mayHoldText:
            !FEW_VALUES.includes(column.category) &&
            of !== 'public' &&
            !(typeof of === 'object' && of.class === 'public'),
        };
      }),
    };
  });
}

/**
 * Categories of types: numbers, dates, times, booleans, enums, ranges, geometry and bits. A mask often gives a value that
 * another row has.
 */
const FEW_VALUES = 'NDTBERGV';

function chooseWay(category: string, of: ColumnClass | undefined, hasRows: boolean): ScannedColumn['by'] {
  if (typeof of === 'object' && of.class === 'personal' && typeof of.mask === 'object' && of.mask.kind === 'constant')
    return 'value';
  if (!FEW_VALUES.includes(category)) return 'value';
  return hasRows && category !== 'B' ? 'row' : 'nothing';
}

/** A class `key` is that of the column at the end of the keys. */
function classOf(
  { table, column }: { table: string; column: string },
  context: { classes: Classes; foreignKeys: readonly ForeignKey[] },
  depth = 0,
): ColumnClass | undefined {
  const of = context.classes[table]?.[column];
  if (of !== 'key' || depth > context.foreignKeys.length) return of;
  const key = context.foreignKeys.find(
    (one) =>
      one.table === table &&
      one.columns.includes(column) &&
      (one.target !== table || one.targetColumns[one.columns.indexOf(column)] !== column),
  );
  return (
    key && classOf({ table: key.target, column: key.targetColumns[key.columns.indexOf(column)]! }, context, depth + 1)
  );
}

/** Every class that is not open, and a column without a class too. */
function isProtected(of: ColumnClass | undefined): boolean {
  const name = typeof of === 'object' ? of.class : of;
  return name !== 'public' && name !== 'internal';
}

function listKeptPaths(of: ColumnClass | undefined): string[][] {
  if (typeof of !== 'object' || of.class !== 'personal' || typeof of.mask !== 'object' || of.mask.kind !== 'json')
    return [];
  return Object.entries(of.mask.paths).flatMap(([path, rule]) => (rule === 'keep' ? [path.split('.')] : []));
}

function whatHolds({ element, isArray, category }: Found['columns'][number]): ScannedColumn['holds'] {
  if (isArray) return category === 'C' ? 'fields' : 'elements';
  if (/^jsonb?$/.test(element)) return 'leaves';
  return category === 'C' ? 'fields' : 'one';
}

/** Shorter numbers in documents are counts and states. */
const MOST_COMMON_DIGITS = 15;

/** The values in the text of a field, without those that are NULL. */
export function listValues(text: string, { holds }: Pick<ScannedColumn, 'holds'>): string[] {
  if (holds === 'leaves')
    return listLeaves(parseDocument(text)).flatMap((leaf) =>
      typeof leaf === 'string' || String(leaf).length > MOST_COMMON_DIGITS ? [String(leaf)] : [],
    );
  return holds === 'one' ? [text] : listParts(text, holds);
}

/** The same, as a reader would see them. */
export function listTexts(text: string, column: ScannedColumn): string[] {
  if (column.holds === 'leaves') return listLeaves(parseDocument(text)).filter((leaf) => typeof leaf === 'string');
  const values = listValues(text, column);
  return column.isEncoded ? values.flatMap((value) => listPrintable(Buffer.from(value.slice(2), 'hex'))) : values;
}

/** By chance, 20 MB of any other bytes, such as a masked photo, hold what looks like a mail address. */
const LONG_TEXT = /[\t\n\r -~]{20,}/g;

function listPrintable(bytes: Buffer): readonly string[] {
  const text = bytes.toString();
  return isUtf8(bytes) && !/[^\P{Cc}\t\n\r]/u.test(text) ? [text] : (bytes.toString('latin1').match(LONG_TEXT) ?? []);
}

/** The values that a class keeps are meant to be equal. */
export function listKept(text: string, { keptPaths }: ScannedColumn): ReadonlySet<string> | undefined {
  if (keptPaths.length === 0) return undefined;
  return new Set(keptPaths.flatMap((path) => listLeaves(follow(parseDocument(text), path))).map(String));
}

let last: { readonly text: string; readonly document: unknown } | undefined;

/** Each document is asked for three times. */
function parseDocument(text: string): unknown {
  if (last?.text !== text) last = { text, document: JSON.parse(text) as unknown };
  return last.document;
}

function listLeaves(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(listLeaves);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(listLeaves) : [value];
}

/** Through arrays too, whose elements have the path of the array. */
function follow(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return value;
  if (Array.isArray(value)) return value.map((one) => follow(one, [name, ...rest]));
  return typeof value === 'object' && value !== null
    ? follow((value as Record<string, unknown>)[name], rest)
    : undefined;
}

const ELEMENT = /"((?:[^"\\]|\\.)*)"|[^{},"]+/gs;
const FIELD = /"((?:[^"\\]|\\.|"")*)"|[^(),"]+/gs;

/** Of an array that does not begin at 1. */
const BOUNDS = /^\[[^{]*=/;

/** Elements of arrays and fields of composite types, whose texts differ in how they write a quote. */
function listParts(text: string, holds: 'elements' | 'fields'): string[] {
  return [...text.replace(BOUNDS, '').matchAll(text.startsWith('(') ? FIELD : ELEMENT)].flatMap(([whole, quoted]) => {
    if (quoted === undefined) return whole === 'NULL' ? [] : [whole];
    const part = quoted.replaceAll(/\\(.)|"(")/gs, '$1$2');
    return holds === 'fields' && /^[({].*[)}]$/s.test(part) ? [part, ...listParts(part, holds)] : [part];
  });
}

const COLUMNS = `
  SELECT c.relname::text AS "table", c.relkind::text AS kind,
         (SELECT a.attname::text FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
           WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1) AS key,
         pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', a.attname, 'isArray', t.typcategory = 'A', 'category', coalesce(e.typcategory, t.typcategory),
           'element', coalesce(e.typname, b.typname, t.typname)) ORDER BY a.attnum) AS columns
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
    LEFT JOIN pg_catalog.pg_type e ON e.oid = coalesce(b.typelem, t.typelem) AND t.typcategory = 'A'
   WHERE c.relnamespace = 'public'::pg_catalog.regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   GROUP BY c.oid ORDER BY c.relname COLLATE "C"`;
