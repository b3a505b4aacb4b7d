import type { ClientBase } from 'pg';
import type { Classes, ColumnClass } from '../model/column-classes.js';
import type { ForeignKey } from './read-tables.js';

export interface ScannedColumn {
  readonly name: string;
  /**
   * `value`: no value of the column may be one of the source's. `row`: for values that many rows share, such as dates:
   * no row may keep its own. `nothing`: not about a person, or without a key to find the row by.
   */
  readonly by: 'value' | 'row' | 'nothing';
  /** An array or a document, which holds more values than one. */
  readonly isMany: boolean;
  /** A set of rows (value, leaf) for a row of the table. */
  readonly values: (column: string) => string;
  /** One text in which each sign of a value stands as it is, or NULL. */
  readonly text: (column: string) => string;
  /** JSON paths whose values the class keeps. */
  readonly keptPaths: readonly string[];
  /** An address in it would be a finding: it may hold text, and its class is not public. */
  readonly mayHoldText: boolean;
}

export interface ScannedTable {
  readonly name: string;
  /** A column that identifies a row in the source and in the result. */
  readonly key: string | undefined;
  readonly columns: readonly ScannedColumn[];
}

interface Found {
  readonly table: string;
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
  return rows.map(({ table, key, columns }) => {
    const isKept = key !== null && !isProtected(classOf({ table, column: key }, { classes, foreignKeys }));
    return {
      name: table,
      key: isKept ? key : undefined,
      columns: columns.map((column) => {
        const of = classOf({ table, column: column.name }, { classes, foreignKeys });
        return {
          name: column.name,
          by: isProtected(of) ? chooseWay(column.category, of, isKept) : ('nothing' as const),
          isMany: column.isArray || isDocument(column.element),
          values: (name: string) => describeValues(name, column),
          text: (name: string) => describeWhole(name, column),
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

/** Categories of types: numbers, dates, times, booleans and enums. A mask often gives a value that another row has. */
const FEW_VALUES = 'NDTBE';

function chooseWay(category: string, of: ColumnClass | undefined, hasKey: boolean): ScannedColumn['by'] {
  if (typeof of === 'object' && of.class === 'personal' && typeof of.mask === 'object' && of.mask.kind === 'constant')
    return 'value';
  if (!FEW_VALUES.includes(category)) return 'value';
  return hasKey && category !== 'B' ? 'row' : 'nothing';
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

function listKeptPaths(of: ColumnClass | undefined): string[] {
  if (typeof of !== 'object' || of.class !== 'personal' || typeof of.mask !== 'object' || of.mask.kind !== 'json')
    return [];
  return Object.entries(of.mask.paths).flatMap(([path, rule]) =>
    rule === 'keep'
      ? [
          `lax $.${path
            .split('.')
            .map((name) => JSON.stringify(name))
            .join('.')}.**`,
        ]
      : [],
  );
}

function describeValues(column: string, { element, isArray }: Found['columns'][number]): string {
  if (isArray)
    return `(SELECT ${describeText('e', element)} AS value, NULL::pg_catalog.jsonb AS leaf FROM pg_catalog.unnest(${column}) e)`;
  if (isDocument(element))
    return `(SELECT l #>> '{}' AS value, l AS leaf FROM pg_catalog.jsonb_path_query(${column}::pg_catalog.jsonb, 'strict $.**') l
      WHERE pg_catalog.jsonb_typeof(l) = 'string' OR pg_catalog.jsonb_typeof(l) = 'number' AND pg_catalog.length(l::pg_catalog.text) > 15)`;
  return `(SELECT ${describeText(column, element)} AS value, NULL::pg_catalog.jsonb AS leaf)`;
}

function describeWhole(column: string, { element, isArray }: Found['columns'][number]): string {
  if (isArray)
    return element === 'bytea'
      ? `(SELECT pg_catalog.string_agg(pg_catalog.encode(e, 'escape'), pg_catalog.chr(10)) FROM pg_catalog.unnest(${column}) e)`
      : `${column}::pg_catalog.text`;
  return isDocument(element) ? `${column}::pg_catalog.jsonb::pg_catalog.text` : describeText(column, element);
}

const isDocument = (element: string) => /^jsonb?$/.test(element);

function describeText(value: string, type: string): string {
  if (type === 'bytea') return `pg_catalog.encode(${value}, 'escape')`;
  return type === 'bpchar' ? `pg_catalog.rtrim(${value}::pg_catalog.text)` : `${value}::pg_catalog.text`;
}

const COLUMNS = `
  SELECT c.relname::text AS "table",
         (SELECT a.attname::text FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
           WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1) AS key,
         pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', a.attname, 'isArray', t.typcategory = 'A', 'category', coalesce(e.typcategory, t.typcategory),
           'element', coalesce(e.typname, b.typname, t.typname)) ORDER BY a.attnum) AS columns
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
    LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
   WHERE c.relnamespace = 'public'::pg_catalog.regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   GROUP BY c.oid ORDER BY c.relname COLLATE "C"`;
