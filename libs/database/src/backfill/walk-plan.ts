import { type Client, DatabaseError, escapeIdentifier } from 'pg';
import type { Backfill } from '../model/backfill.js';
import { chooseRole } from './visible-rows.js';
import { MigrationRefusal } from '../model/migration-error.js';

/** One walk over a table, and the statements of each batch. */
export interface WalkPlan {
  readonly table: string;
  readonly key: readonly string[];
  /** An estimate by ANALYZE; undefined if the table was never analysed. */
  readonly expectedRows: number | undefined;
  /** The role that sees every row; undefined for the owner. */
  readonly role: string | undefined;
  /** Finds the last key of the next batch. Parameters: the count of rows, then the last key if there is one. */
  readonly bound: (hasLast: boolean) => string;
  /** Changes the rows up to a key. Parameters: that key, then the last key of the batch before if there is one. */
  readonly change: (hasLast: boolean) => string;
}

/** Changes nothing. @throws MigrationRefusal if the definition does not fit the database */
export async function planWalk(client: Client, backfill: Backfill): Promise<WalkPlan> {
  const { name, table } = backfill;
  const { rows } = await client.query<{ kind: string | null; expected: number | null }>(
    `SELECT c.relkind AS kind, nullif(c.reltuples, -1)::float8 AS expected
       FROM (SELECT to_regclass($1) AS oid) t LEFT JOIN pg_class c USING (oid)`,
    [table],
  );
  if (!/^[rp]$/.test(rows[0]?.kind ?? ''))
    throw new MigrationRefusal(`${name}: ${table} is not a table of this database; expected one with rows of its own`);
  const key = await findKey(client, backfill);
  const statements = createStatements(backfill, key);
  const tables = await findTables(client, backfill, statements.change(true));
  return {
    table,
    key: key.map((column) => column.name),
    expectedRows: rows[0]?.expected ?? undefined,
    role: await chooseRole(client, { tables, target: table }),
    ...statements,
  };
}

interface KeyColumn {
  readonly name: string;
  readonly type: string;
}

/** A key that is unique and never NULL: each row has one place in the walk, and an index finds it. */
async function findKey(client: Client, { name, table, key }: Backfill): Promise<readonly KeyColumn[]> {
  const { rows } = await client.query<{ isPrimary: boolean; columns: KeyColumn[] }>(
    `SELECT i.indisprimary AS "isPrimary",
            jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) ORDER BY k.n) AS columns
       FROM pg_index i
       CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
       JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam AND m.amname = 'btree'
      WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
        AND k.n <= i.indnkeyatts
      GROUP BY i.indexrelid, i.indisprimary HAVING bool_and(a.attnotnull)`,
    [table],
  );
  const found = rows.find(({ isPrimary, columns }) =>
    key === undefined ? isPrimary : columns.map((column) => column.name).join('\0') === key.join('\0'),
  );
  if (found) return found.columns;
  throw new MigrationRefusal(
    key === undefined
      ? `${name}: ${table} has no primary key; expected one, or key: ['a', 'b'] of a unique index over NOT NULL columns`
      : `${name}: ${table} has no unique index over (${key.join(', ')}) with NOT NULL columns; expected one, in this order`,
  );
}

function createStatements(
  { table, set, where }: Backfill,
  key: readonly KeyColumn[],
): Pick<WalkPlan, 'bound' | 'change'> {
  const columns = key.map(({ name }) => escapeIdentifier(name));
  const tuple = `(${columns.join(', ')})`;
  const values = (first: number) => `(${key.map(({ type }, index) => `$${first + index}::${type}`).join(', ')})`;
  const assignments = Object.entries(set).map(([column, sql]) => `${escapeIdentifier(column)} = (\n${sql}\n)`);
  return {
    bound: (hasLast) => `
      SELECT ARRAY[${columns.map((column) => `${column}::text`).join(', ')}] AS "lastKey", count(*) OVER ()::int AS rows
        FROM (SELECT ${columns.join(', ')} FROM ${table} ${hasLast ? `WHERE ${tuple} > ${values(2)}` : ''}
               ORDER BY ${columns.join(', ')} LIMIT $1) AS batch
       ORDER BY ${columns.map((column) => `${column} DESC`).join(', ')} LIMIT 1`,
    change: (hasLast) => `
      WITH changed AS (
        UPDATE ${table} SET ${assignments.join(', ')}
         WHERE ${tuple} <= ${values(1)} ${hasLast ? `AND ${tuple} > ${values(1 + key.length)}` : ''} AND (\n${where}\n)
        RETURNING (\n${where}\n) AS needs
      )
      SELECT count(*)::int AS changed, count(*) FILTER (WHERE needs)::int AS unmet FROM changed`,
  };
}

/** Locks, limits and lost connections. */
const IS_TEMPORARY = /^(?:08|25|40|53|55|57)/;

/** Both with the server's own grammar and rights. @throws MigrationRefusal with its error */
async function findTables(client: Client, backfill: Backfill, change: string): Promise<string[]> {
  await client.query('BEGIN');
  try {
    const tables = await readDependencies(client, backfill);
    await client.query(`EXPLAIN (GENERIC_PLAN) ${change}`);
    return tables;
  } catch (error) {
    if (!(error instanceof DatabaseError) || IS_TEMPORARY.test(error.code ?? '')) throw error;
    throw new MigrationRefusal(
      `${backfill.name}: ${error.message}; expected expressions over a row of ${backfill.table}`,
      {
        cause: error,
      },
    );
  } finally {
    await client.query('ROLLBACK');
  }
}

/** The tables that the expressions read, also through views. A plan omits those whose rows a policy hides. */
async function readDependencies(client: Client, { table, set, where, sha256 }: Backfill): Promise<string[]> {
  const columns = [...Object.values(set), where].map((sql, index) => `(\n${sql}\n) AS c${index}`);
  // A statement with a name is one statement only.
  await client.query({
    name: sha256.slice(0, 32),
    text: `CREATE TEMPORARY VIEW walk AS SELECT ${columns.join(', ')} FROM ${table}`,
  });
  const { rows } = await client.query<{ name: string }>(`
    WITH RECURSIVE used (oid) AS (
      SELECT 'pg_temp.walk'::regclass::oid
      UNION
      SELECT d.refobjid FROM used u JOIN pg_rewrite r ON r.ev_class = u.oid
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    )
    SELECT c.oid::regclass::text AS name
      FROM used JOIN pg_class c USING (oid) WHERE c.relkind IN ('r', 'p', 'f')`);
  return rows.map(({ name }) => name);
}
