import type { ClientBase } from 'pg';

/** A column of schema public, as the catalogue describes it. */
export interface ColumnFacts {
  readonly name: string;
  /** As in CREATE TABLE, such as `character varying(20)`. */
  readonly type: string;
  /** The name of the type below arrays and domains. */
  readonly base: string;
  readonly isArray: boolean;
  readonly maxLength: number | null;
  readonly labels: readonly string[];
  /** Of a range or a multirange. */
  readonly subtype: string | null;
  readonly hasScale: boolean;
  /** Its domain accepts only some values of the base type. */
  readonly isChecked: boolean;
  readonly isRequired: boolean;
  readonly hasDefault: boolean;
  /** Computed by the server, so no copy writes it. */
  readonly isGenerated: boolean;
  /** The columns of each unique key, or exclusion constraint, that it is part of. */
  readonly uniqueKeys: readonly (readonly string[])[];
  /** The only column of the primary key. */
  readonly isKey: boolean;
}

export interface TableFacts {
  readonly table: string;
  readonly kind: string;
  readonly columns: readonly ColumnFacts[];
}

export interface ForeignKey {
  readonly table: string;
  readonly columns: readonly string[];
  readonly target: string;
  readonly targetColumns: readonly string[];
}

/** Every relation with rows in schema public. A partition is part of its table. */
export async function readTables(client: ClientBase): Promise<TableFacts[]> {
  const { rows } = await client.query<TableFacts>(TABLES);
  return rows;
}

export async function readForeignKeys(client: ClientBase): Promise<ForeignKey[]> {
  const { rows } = await client.query<ForeignKey>(FOREIGN_KEYS);
  return rows;
}

const names = (table: string, numbers: string) => `ARRAY(
    SELECT a.attname::text FROM pg_catalog.unnest(${numbers}) WITH ORDINALITY n (number, place)
      JOIN pg_catalog.pg_attribute a ON a.attrelid = ${table} AND a.attnum = n.number ORDER BY n.place)`;

const TABLES = `
  WITH RECURSIVE below AS (
    SELECT oid AS type, oid AS base, typtypmod AS modifier, false AS is_array, false AS is_checked FROM pg_catalog.pg_type
    UNION ALL
    SELECT b.type, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END,
           CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE b.modifier END, b.is_array OR t.typtype <> 'd',
           b.is_checked OR t.typtype = 'd' AND (t.typnotnull OR EXISTS (
             SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid))
      FROM below b JOIN pg_catalog.pg_type t ON t.oid = b.base WHERE t.typtype = 'd' OR t.typcategory = 'A' AND t.typelem <> 0
  ), types AS (
    SELECT b.type, t.oid AS base, t.typname, b.modifier, b.is_array, b.is_checked FROM below b JOIN pg_catalog.pg_type t ON t.oid = b.base
     WHERE t.typtype <> 'd' AND NOT (t.typcategory = 'A' AND t.typelem <> 0)
  )
  SELECT c.relname::text AS "table", c.relkind::text AS kind, coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
      'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'base', t.typname, 'isArray', t.is_array,
      'maxLength', CASE WHEN t.typname IN ('varchar', 'bpchar') AND m.modifier > 4 THEN m.modifier - 4 END,
      'labels', ARRAY(SELECT enumlabel FROM pg_catalog.pg_enum WHERE enumtypid = t.base ORDER BY enumsortorder),
      'subtype', (SELECT s.typname FROM pg_catalog.pg_range r JOIN pg_catalog.pg_type s ON s.oid = r.rngsubtype WHERE t.base IN (r.rngtypid, r.rngmultitypid)),
      'hasScale', t.typname = 'numeric' AND m.modifier > 4,
      'isChecked', t.is_checked, 'isRequired', a.attnotnull, 'hasDefault', a.atthasdef OR a.attidentity <> '',
      'isGenerated', a.attgenerated <> '',
      'uniqueKeys', (SELECT coalesce(pg_catalog.jsonb_agg(${names('c.oid', 'i.indkey::pg_catalog.int2[]')}), '[]') FROM pg_catalog.pg_index i
        WHERE i.indrelid = c.oid AND (i.indisunique OR i.indisexclusion) AND a.attnum = ANY (i.indkey)),
      'isKey', EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1 AND a.attnum = i.indkey[0])
    ) ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL), '[]') AS columns
    FROM pg_catalog.pg_class c
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN types t ON t.type = a.atttypid
    LEFT JOIN LATERAL (SELECT CASE WHEN a.atttypmod > -1 THEN a.atttypmod ELSE t.modifier END AS modifier) m ON true
   WHERE c.relnamespace = 'public'::pg_catalog.regnamespace AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid AND e.deptype = 'e')
   GROUP BY c.oid ORDER BY c.relname COLLATE "C"`;

const FOREIGN_KEYS = `
  SELECT s.relname::text AS "table", ${names('k.conrelid', 'k.conkey')} AS columns,
         t.relname::text AS target, ${names('k.confrelid', 'k.confkey')} AS "targetColumns"
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class s ON s.oid = k.conrelid JOIN pg_catalog.pg_class t ON t.oid = k.confrelid
   WHERE k.contype = 'f' AND k.conparentid = 0 AND s.relnamespace = 'public'::pg_catalog.regnamespace
     AND t.relnamespace = 'public'::pg_catalog.regnamespace
   ORDER BY s.relname COLLATE "C", k.conname COLLATE "C"`;
