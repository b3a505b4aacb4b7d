import { loadModule } from 'libpg-query';
import { type Client, DatabaseError } from 'pg';
import { createRights, DEFAULT_TIMING } from '@airlock/database/internal';
import type { Migration } from '@airlock/database/model';
import { type AccessTrace, traceAccess } from './access-trace.js';
import type { KeyState } from './key-state.js';
import type { KeyTrace } from './key-state.js';
import { traceKeys } from './key-trace.js';
import {
  type ColumnState,
  type RelationState,
  type RowCounts,
  type Snapshot,
  SnapshotReader,
  USERS_OWN,
} from './snapshot.js';
import type { StatementTrace } from './statement-trace.js';

/** Runs the migration on a throw-away database, and takes a snapshot after each statement. A transaction stays open. */
export async function traceMigration(client: Client, migration: Migration): Promise<StatementTrace[]> {
  // A snapshot reads the expressions of policies.
  await loadModule();
  const reader = new SnapshotReader(client);
  if (migration.transactional) await client.query(`BEGIN; ${createLimits(migration)}`);
  const known = await reader.read();
  const snapshots = [known];
  const outcomes: Outcome[] = [];
  for (const [index, { sql }] of migration.statements.entries()) {
    const isLast = index === migration.statements.length - 1;
    // Checks deferred constraints before COMMIT, so that a failure can still be reported.
    const deferred = isLast && migration.transactional ? ['SET CONSTRAINTS ALL IMMEDIATE'] : [];
    outcomes.push(await attempt(client, [sql, ...deferred], migration.transactional));
    snapshots.push(await reader.read());
  }
  const last = snapshots.at(-1) ?? known;
  return outcomes.map((outcome, index) => {
    const [before = known, after = last] = snapshots.slice(index);
    const stages = { known, before, after, last };
    return { ...compare(known, before, after, outcome), ...traceAccess(stages), ...traceKeys(stages, byOid(known)) };
  });
}

/** The rights are those of the runner; the timeout is enough for a few rows. */
function createLimits(migration: Migration): string {
  return `SET LOCAL statement_timeout = ${DEFAULT_TIMING.statementTimeoutMs}; ${createRights(migration)}`;
}

interface Outcome {
  readonly error: string | undefined;
  /** Messages in which PostgreSQL reports its own work. */
  readonly notices: readonly string[];
}

/** A failure rolls back only its own statement, so that later ones are traced too. */
async function attempt(client: Client, texts: readonly string[], isTransactional: boolean): Promise<Outcome> {
  const notices: string[] = [];
  const onNotice = ({ message }: { message?: string | undefined }) => void notices.push(message ?? '');
  const scope = isTransactional ? 'LOCAL ' : '';
  if (isTransactional) await client.query('SAVEPOINT statement');
  await client.query(`SET ${scope}client_min_messages = debug1`);
  client.on('notice', onNotice);
  try {
    for (const text of texts) await client.query(text);
    if (isTransactional) await client.query('RELEASE SAVEPOINT statement');
    return { error: undefined, notices };
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    if (isTransactional) await client.query('ROLLBACK TO SAVEPOINT statement');
    return { error: `${error.message} (${error.code ?? ''})`, notices };
  } finally {
    client.off('notice', onNotice);
  }
}

function compare(
  known: Snapshot,
  before: Snapshot,
  after: Snapshot,
  { error, notices }: Outcome,
): Omit<StatementTrace, keyof AccessTrace | keyof KeyTrace> {
  // Compared by identity: a name may belong to another table after a rename, or after DROP and CREATE.
  const [knownTables, tablesBefore, tablesAfter] = [known, before, after].map(byOid) as [Tables, Tables, Tables];
  const held = new Set(before.locks.map(({ oid, mode }) => `${oid} ${mode}`));
  const fresh = after.locks.filter(({ oid, mode }) => knownTables.has(oid) && !held.has(`${oid} ${mode}`));
  const names = new Map([...before.relations].map(([name, { oid }]) => [oid, name]));
  const verified = new Set(notices.flatMap((text) => /^(?:verifying|rewriting) table "(.*)"$/s.exec(text)?.[1] ?? []));
  const isKnown = ([, { oid }]: readonly [string, RelationState]) => knownTables.has(oid);
  return {
    created: createdNames(known, before),
    // The text of a rename contains the old name.
    locks: fresh.map(({ oid, table, mode }) => ({ table: names.get(oid) ?? table, mode })),
    rewritten: [...after.relations].flatMap(([name, { oid, file }]) => {
      // Changing a column's type recreates its indexes under the same names.
      const old = tablesBefore.get(oid) ?? before.relations.get(name);
      return old !== undefined && knownTables.has(old.oid) && old.file !== file ? [name] : [];
    }),
    scanned: [...after.relations]
      .filter(isKnown)
      .filter(([, { oid, bare }]) => verified.has(bare) && after.locks.some((lock) => lock.oid === oid))
      .map(([name]) => name),
    written: [...before.relations].filter(isKnown).flatMap(([table, { oid, rows }]) => {
      const counts = subtract(tablesAfter.get(oid)?.rows ?? rows, rows);
      return counts.inserted + counts.updated + counts.deleted > 0 ? [{ table, ...counts }] : [];
    }),
    domains: before.domains,
    typed: typedColumns(before, after),
    settings: Object.keys(after.settings).filter((name) => after.settings[name] !== before.settings[name]),
    foreignKeys: foreignKeys(after).filter(
      ({ table, name }) => !foreignKeys(before).some((key) => key.table === table && key.name === name),
    ),
    ancestors: Object.fromEntries(
      [...before.relations].flatMap(([name, { parents }]) =>
        parents.length === 0 ? [] : [[name, ancestorsOf(before, name)]],
      ),
    ),
    error,
  };
}

/** Without those that PostgreSQL adds for partitions. */
function foreignKeys({ keys }: Snapshot): KeyState[] {
  return keys.filter(({ kind, parent }) => kind === 'f' && parent === null);
}

type Tables = ReadonlyMap<number, RelationState>;

function byOid({ relations }: Snapshot): Tables {
  return new Map([...relations.values()].map((relation) => [relation.oid, relation]));
}

function typedColumns(before: Snapshot, after: Snapshot): ColumnState[] {
  const identify = ({ oid, number, type }: ColumnState) => `${oid} ${number} ${type}`;
  const known = new Set(before.columns.map(identify));
  return after.columns.filter((column) => !known.has(identify(column)));
}

/** A name that an older object shares, such as another function, does not count. */
function createdNames(known: Snapshot, before: Snapshot): string[] {
  const old = new Set([...known.objects.values()].flat());
  return [...before.objects].filter(([, ids]) => !ids.some((id) => old.has(id))).map(([name]) => name);
}

function subtract(after: RowCounts, before: RowCounts): RowCounts {
  return {
    inserted: after.inserted - before.inserted,
    updated: after.updated - before.updated,
    deleted: after.deleted - before.deleted,
  };
}

function ancestorsOf(snapshot: Snapshot, name: string): string[] {
  const parents = snapshot.relations.get(name)?.parents ?? [];
  return parents.flatMap((parent) => [parent, ...ancestorsOf(snapshot, parent)]);
}

/** Foreign keys whose columns begin no index: deleting a parent then scans the whole table. */
export async function findUnindexedKeys(client: Client): Promise<UnindexedKey[]> {
  const { rows } = await client.query<UnindexedKey>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS table, c.relname AS bare, quote_ident(k.conname) AS name,
            (SELECT array_agg(a.attname::text ORDER BY x.at) FROM unnest(k.conkey) WITH ORDINALITY AS x (num, at)
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.num) AS columns
       FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE k.contype = 'f' AND k.conparentid = 0 AND ${USERS_OWN}
        AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
                         AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)`,
  );
  return rows;
}

interface UnindexedKey {
  readonly table: string;
  readonly bare: string;
  readonly name: string;
  readonly columns: readonly string[];
}
