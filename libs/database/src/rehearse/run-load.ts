import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '@airlock/config';
import { type Client, DatabaseError } from 'pg';
import { connectClient } from '../connect/client.js';
import { SYSTEM_ROLE } from '../model/system-role.js';
import type { LoadFigures } from '../migrate/rehearsal-record.js';
import type { LoadTable } from './load-tables.js';

/** Few enough for any server. With the pause, some hundred operations in a second. */
const SESSIONS = 4;
const PAUSE_MS = 8;
const KEYS = 200;
const STATEMENT_TIMEOUT_MS = 5 * 60_000;

/** One operation of the load, on the clock of `performance.now()`. */
export interface Sample {
  readonly table: string;
  readonly startMs: number;
  readonly endMs: number;
  /** The SQLSTATE of a failure. The operation is left out from then on, unless it only lost a conflict. */
  readonly failure?: string;
}

export interface Load {
  readonly samples: readonly Sample[];
  /** The tables that it reads or writes. */
  readonly tables: ReadonlySet<string>;
  /** Ends the sessions. @throws if one of them failed for a reason other than a statement */
  stop(): Promise<void>;
}

interface Operation {
  readonly table: string;
  readonly sql: string;
  readonly keys: readonly (readonly string[])[];
  /** An INSERT is rolled back. */
  readonly isRolledBack: boolean;
}

const CONFLICTS = ['40001', '40P01', '55P03'];

/** Sessions of the application that read single rows, write the value that a row has, and insert rows that are rolled back. */
export async function startLoad(config: Config, tables: readonly LoadTable[]): Promise<Load> {
  const sessions: Client[] = [];
  const samples: Sample[] = [];
  const left = new Set<Operation>();
  const end = async () => {
    await Promise.all(sessions.map((session) => session.end().catch(() => undefined)));
  };
  try {
    while (sessions.length < SESSIONS) sessions.push(await openSession(config));
    for (const table of tables)
      for (const operation of await listOperations(sessions[0]!, table))
        if ((await run(sessions[0]!, operation, 0)).failure === undefined) left.add(operation);
  } catch (error) {
    await end();
    throw error;
  }
  let isOver = false;
  const follow = async (session: Client, offset: number) => {
    for (let turn = offset; !isOver; turn += SESSIONS) {
      const operations = [...left];
      const operation = operations[Math.floor(turn / SESSIONS) % Math.max(1, operations.length)];
      if (operation) {
        const sample = await run(session, operation, turn);
        samples.push(sample);
        if (sample.failure !== undefined && !CONFLICTS.includes(sample.failure)) left.delete(operation);
      }
      await sleep(PAUSE_MS);
    }
  };
  const loops = sessions.map(follow);
  // Reported by stop().
  for (const loop of loops) loop.catch(() => undefined);
  const stop = async () => {
    isOver = true;
    try {
      await Promise.all(loops);
    } finally {
      await end();
    }
  };
  return { samples, tables: new Set([...left].map(({ table }) => table)), stop };
}

/** The system sees the rows of all users, as far as the policies allow it. */
async function openSession(config: Config): Promise<Client> {
  const session = await connectClient(config.database.app, { config, purpose: 'rehearsal-load' });
  await session.query(
    `SET ROLE ${SYSTEM_ROLE}; SET lock_timeout = 0; SET statement_timeout = ${STATEMENT_TIMEOUT_MS}; SET client_connection_check_interval = '1s'`,
  );
  return session;
}

async function listOperations(session: Client, { table, key, column, inserted }: LoadTable): Promise<Operation[]> {
  const names = key.map(({ name }) => name);
  const keys = key.length === 0 ? [] : await readKeys(session, { table, names });
  const isKeyed = keys.length > 0;
  const row = `(${names.join(', ')}) = (${key.map(({ type }, index) => `$${index + 1}::${type}`).join(', ')})`;
  const [which, none] = isKeyed ? [`WHERE ${row}`, `WHERE ${row}`] : ['LIMIT 1', 'WHERE false'];
  const list = inserted.join(', ');
  const create = (sql: string, isRolledBack = false): Operation => ({ table, sql, keys, isRolledBack });
  return [
    create(`SELECT * FROM ${table} ${which}`),
    ...(column === null ? [] : [create(`UPDATE ${table} SET ${column} = ${column} ${none}`)]),
    ...(list === ''
      ? []
      : [create(`INSERT INTO ${table} (${list}) SELECT ${list} FROM ${table} ${which} ON CONFLICT DO NOTHING`, true)]),
  ];
}

/** No error: the application may have no right to read the table. */
async function readKeys(
  session: Client,
  { table, names }: { table: string; names: readonly string[] },
): Promise<string[][]> {
  const columns = names.map((name) => `${name}::text`).join(', ');
  const found = await session
    .query<string[]>({ text: `SELECT ${columns} FROM ${table} LIMIT ${KEYS}`, rowMode: 'array' })
    .catch(() => undefined);
  return found?.rows ?? [];
}

async function run(session: Client, { table, sql, keys, isRolledBack }: Operation, turn: number): Promise<Sample> {
  const values = keys.length === 0 ? [] : [...keys[turn % keys.length]!];
  const startMs = performance.now();
  try {
    if (isRolledBack) await session.query('BEGIN');
    await session.query(sql, values);
    return { table, startMs, endMs: performance.now() };
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.severity === 'FATAL') throw error;
    return { table, startMs, endMs: performance.now(), failure: error.code ?? 'unknown' };
  } finally {
    if (isRolledBack) await session.query('ROLLBACK').catch(() => undefined);
  }
}

/** Of the operations that ran, or waited, between two moments. */
export function summarise(samples: readonly Sample[], fromMs: number, toMs: number): LoadFigures {
  const during = samples.filter(({ startMs, endMs }) => endMs >= fromMs && startMs <= toMs);
  const waits = during.map(({ startMs, endMs }) => endMs - startMs).sort((a, b) => a - b);
  const p99Ms = waits.length < 100 ? null : (waits[Math.ceil(waits.length * 0.99) - 1] ?? null);
  const failures = [...new Set(during.flatMap(({ table, failure }) => (failure ? [`${table}: ${failure}`] : [])))];
  return { operations: during.length, longestMs: waits.at(-1) ?? 0, p99Ms, failures };
}
