import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { AroundStatement } from '../migrate/apply-migration.js';
import type { MigrationEvent } from '../migrate/events.js';
import type { Migration } from '../model/migration.js';
import { backendPid } from '../runner/lock.js';

/** The effects of one statement. Times are on the clock of `performance.now()`. */
export interface ObservedStatement {
  readonly migration: Migration;
  readonly index: number;
  readonly startMs: number;
  readonly endMs: number;
  /** The end of its transaction, which releases its locks. */
  releasedMs: number;
  /** Locks that it added, on tables that existed before. */
  readonly locks: readonly ObservedLock[];
  readonly rewritten: readonly string[];
  /** Tables that were read completely, to check a constraint or to build an index. */
  readonly scanned: readonly string[];
}

export interface ObservedLock {
  readonly table: string;
  readonly mode: string;
  /** Only of a statement outside a transaction, which may release it early. */
  readonly heldMs?: number;
}

export interface StatementObserver {
  readonly around: AroundStatement;
  readonly onEvent: (event: MigrationEvent) => void;
  readonly statements: readonly ObservedStatement[];
}

const SAMPLE_MS = 10;

/** @param watcher another session on the same database: it samples the locks of statements outside a transaction */
export function observeStatements(watcher: Client): StatementObserver {
  const statements: ObservedStatement[] = [];
  let known: ReadonlyMap<number, Relation> = new Map();
  const around: AroundStatement = async ({ client, migration, index }, run) => {
    const { transactional } = migration;
    await client.query(`SET ${transactional ? 'LOCAL ' : ''}client_min_messages = debug1`);
    const before = await readRelations(client);
    if (index === 0) known = before;
    const held = transactional ? await readLocks(client, backendPid(client)) : [];
    const sampled = transactional ? undefined : sampleLocks(watcher, backendPid(client));
    const notices = listen(client);
    const startMs = performance.now();
    try {
      await run();
    } finally {
      notices.stop();
      await sampled?.stop();
    }
    const endMs = performance.now();
    const after = await readRelations(client);
    const locks =
      sampled?.locks ?? (await readLocks(client, backendPid(client))).filter((lock) => !held.some(isSame(lock)));
    const isKnown = ({ oid }: { oid: number }) => known.has(oid);
    const names = [...notices.texts].flatMap((text) => WORK.exec(text)?.[1] ?? []);
    statements.push({
      ...{ migration, index, startMs, endMs, releasedMs: endMs },
      locks: locks.filter(isKnown).map(({ oid, mode, heldMs }) => ({
        table: known.get(oid)!.name,
        mode,
        ...(heldMs === undefined ? {} : { heldMs }),
      })),
      rewritten: [...after.values()]
        .filter((table) => isKnown(table) && before.get(table.oid)?.file !== table.file)
        .map(({ name }) => name),
      scanned: [...known.values()].filter(({ bare }) => names.includes(bare)).map(({ name }) => name),
    });
  };
  const onEvent = (event: MigrationEvent) => {
    if (!('name' in event)) return;
    const own = statements.filter(({ migration }) => migration.name === event.name);
    if (event.type === 'applied')
      for (const statement of own) if (statement.migration.transactional) statement.releasedMs = performance.now();
    // The attempt was rolled back, and the next one repeats its statements.
    if (event.type === 'retrying') statements.splice(statements.length - own.length);
  };
  return { around, onEvent, statements };
}

interface Relation {
  readonly oid: number;
  readonly name: string;
  readonly bare: string;
  readonly file: number;
}

interface HeldLock {
  readonly oid: number;
  readonly mode: string;
  readonly heldMs?: number;
}

/** PostgreSQL reports its own work on rows. */
const WORK = /^(?:(?:verifying|rewriting) table|building index ".*" on table) "(.*?)"/s;

async function readRelations(client: Client): Promise<ReadonlyMap<number, Relation>> {
  const { rows } = await client.query<Relation>(
    `SELECT c.oid::int8::float8 AS oid, format('%I.%I', n.nspname, c.relname) AS name, c.relname AS bare, c.relfilenode::int8::float8 AS file
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'm', 'S') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'ops') AND n.nspname !~ '^pg_'`,
  );
  return new Map(rows.map((row) => [row.oid, row]));
}

async function readLocks(client: Client, pid: number): Promise<HeldLock[]> {
  const { rows } = await client.query<HeldLock>(
    `SELECT relation::int8::float8 AS oid, mode FROM pg_catalog.pg_locks
      WHERE pid = $1 AND granted AND locktype = 'relation'
        AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())`,
    [pid],
  );
  return rows;
}

const isSame = (one: HeldLock) => (other: HeldLock) => one.oid === other.oid && one.mode === other.mode;

function sampleLocks(watcher: Client, pid: number): { readonly locks: HeldLock[]; stop(): Promise<void> } {
  const locks: HeldLock[] = [];
  const since = new Map<string, number>();
  let isOver = false;
  const sampling = (async () => {
    while (!isOver) {
      const now = performance.now();
      for (const lock of await readLocks(watcher, pid)) {
        const id = `${lock.oid} ${lock.mode}`;
        since.set(id, since.get(id) ?? now);
        const index = locks.findIndex(isSame(lock));
        locks.splice(index < 0 ? locks.length : index, 1, { ...lock, heldMs: now - since.get(id)! });
      }
      await sleep(SAMPLE_MS);
    }
  })();
  const stop = () => {
    isOver = true;
    return sampling;
  };
  return { locks, stop };
}

function listen(client: Client): { readonly texts: ReadonlySet<string>; stop(): void } {
  const texts = new Set<string>();
  const note = ({ message }: { message?: string | undefined }) => void texts.add(message ?? '');
  client.on('notice', note);
  return { texts, stop: () => void client.off('notice', note) };
}
