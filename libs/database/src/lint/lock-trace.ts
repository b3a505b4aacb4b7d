import { type Client, DatabaseError } from 'pg';
import type { Migration } from '../migrate/migration.js';

/** What a statement really did on a server, to tables that were there before its migration. */
export interface StatementTrace {
  /** Locks that this statement added; the migration holds them until it ends. */
  readonly locks: readonly { readonly table: string; readonly mode: string }[];
  /** Tables and indexes that were written anew. */
  readonly rewritten: readonly string[];
  /** Foreign keys that it made, by table and name. */
  readonly foreignKeys: readonly { readonly table: string; readonly name: string }[];
  readonly error: string | undefined;
}

/** Runs the migration on a throw-away database, statement by statement, and looks after each. A transaction stays open. */
export async function traceMigration(client: Client, migration: Migration): Promise<StatementTrace[]> {
  const known = await readRelations(client);
  const traces: StatementTrace[] = [];
  if (migration.transactional) await client.query('BEGIN');
  for (const { sql } of migration.statements)
    traces.push(await traceStatement(client, { sql, known, migration, traces }));
  return traces;
}

/** One line for each statement that locked or rewrote something that was there before. */
export function describeTraces(name: string, traces: readonly StatementTrace[]): string[] {
  return traces.flatMap(({ locks, rewritten }, index) => {
    const parts = [
      ...locks.map(
        ({ table, mode }) =>
          `${mode
            .replace(/Lock$/, '')
            .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
            .toUpperCase()} on ${table}`,
      ),
      ...rewritten.map((relation) => `${relation} written anew`),
    ];
    return parts.length === 0 ? [] : [`${name}, statement ${index + 1}: ${parts.join('; ')}`];
  });
}

interface Step {
  readonly sql: string;
  /** Relation → file, before the migration. */
  readonly known: ReadonlyMap<string, number>;
  readonly migration: Migration;
  readonly traces: readonly StatementTrace[];
}

async function traceStatement(client: Client, { sql, known, migration, traces }: Step): Promise<StatementTrace> {
  const before = await readRelations(client);
  const keysBefore = await readForeignKeys(client);
  const error = await attempt(client, sql, migration.transactional);
  const after = await readRelations(client);
  const keys = await readForeignKeys(client);
  const held = new Set(traces.flatMap(({ locks }) => locks.map(({ table, mode }) => `${table} ${mode}`)));
  return {
    locks: (await readLocks(client)).filter(({ table, mode }) => known.has(table) && !held.has(`${table} ${mode}`)),
    rewritten: [...after].filter(([name, file]) => known.has(name) && before.get(name) !== file).map(([name]) => name),
    foreignKeys: keys.filter(({ table, name }) => !keysBefore.some((key) => key.table === table && key.name === name)),
    error,
  };
}

/** A failure takes back its own statement alone, so that those after it are seen too. */
async function attempt(client: Client, sql: string, isTransactional: boolean): Promise<string | undefined> {
  if (isTransactional) await client.query('SAVEPOINT statement');
  try {
    await client.query(sql);
    if (isTransactional) await client.query('RELEASE SAVEPOINT statement');
    return undefined;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    if (isTransactional) await client.query('ROLLBACK TO SAVEPOINT statement');
    return `${error.message} (${error.code ?? ''})`;
  }
}

const USERS_OWN = `n.nspname NOT IN ('pg_catalog', 'information_schema', 'ops') AND n.nspname !~ '^pg_(toast|temp)'`;

async function readRelations(client: Client): Promise<Map<string, number>> {
  const { rows } = await client.query<{ name: string; file: number }>(
    `SELECT format('%s.%s', n.nspname, c.relname) AS name, c.relfilenode::bigint::float8 AS file
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'm', 'i') AND ${USERS_OWN}`,
  );
  return new Map(rows.map(({ name, file }) => [name, file]));
}

async function readLocks(client: Client): Promise<StatementTrace['locks']> {
  const { rows } = await client.query<{ table: string; mode: string }>(
    `SELECT format('%s.%s', n.nspname, c.relname) AS table, l.mode
       FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE l.pid = pg_backend_pid() AND c.relkind IN ('r', 'p', 'm') AND ${USERS_OWN} ORDER BY 1, 2`,
  );
  return rows;
}

async function readForeignKeys(client: Client): Promise<StatementTrace['foreignKeys']> {
  const { rows } = await client.query<{ table: string; name: string }>(
    `SELECT format('%s.%s', n.nspname, c.relname) AS table, k.conname AS name
       FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE k.contype = 'f' AND k.conparentid = 0 AND ${USERS_OWN}`,
  );
  return rows;
}

/** Foreign keys whose columns begin no index: deleting a parent then scans the whole table. */
export async function findUnindexedKeys(client: Client): Promise<{ table: string; name: string; columns: string }[]> {
  const { rows } = await client.query<{ table: string; name: string; columns: string }>(
    `SELECT format('%s.%s', n.nspname, c.relname) AS table, k.conname AS name,
            (SELECT string_agg(a.attname, ', ' ORDER BY x.at) FROM unnest(k.conkey) WITH ORDINALITY AS x (num, at)
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.num) AS columns
       FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE k.contype = 'f' AND k.conparentid = 0 AND ${USERS_OWN}
        AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
                         AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)`,
  );
  return rows;
}
