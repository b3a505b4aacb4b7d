import { setTimeout as sleep } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import { readCode } from '../failures/database-failures.js';
import { add, type Choose, save } from './calm-operations.fixture.js';
import type { Database } from './database.js';
import type { TrackedUser } from './tracked-user.fixture.js';

const INSERT = { name: 'spec:insert', text: 'INSERT INTO parcels (owner_id, name) VALUES ($1, $2)' };
/** Such work holds its session for a second more than its limit, so it is rare. */
const HANG_EVERY = 10;
const [CHECK_VIOLATION, INSUFFICIENT_PRIVILEGE] = ['23514', '42501'];

interface Administrator {
  /** Ends the session with this process id, or a session of the pool. */
  readonly endSession: (pid?: number) => Promise<void>;
}

/** Operations that fail, or make others fail. */
export function createTroubleOperations(database: Database, { endSession }: Administrator): Choose {
  /** The row that the user saves first must disappear with the failure. */
  const failing =
    (user: TrackedUser, work: (tx: EntityManager) => Promise<unknown>, timeoutMs?: number) => async () => {
      const saveFirst = async (tx: EntityManager) => {
        await save(tx, user.id, user.nextName());
        await work(tx);
      };
      await database.asUser(user.id, saveFirst, timeoutMs === undefined ? {} : { timeoutMs });
    };
  const hasCode = (expected: string) => (error: unknown) => readCode(error) === expected;
  const mayNotEnd = () => false;

  const operations: readonly Choose[] = [
    (user) => ({
      title: 'fast violation',
      run: async () => void (await database.query({ ...INSERT, values: [user.id, ''], userId: user.id })),
      mustFail: hasCode(CHECK_VIOLATION),
    }),
    (user) => ({
      title: 'violation',
      run: failing(user, (tx) => save(tx, user.id, '')),
      mustFail: hasCode(CHECK_VIOLATION),
    }),
    (user, others) => ({
      title: 'row for another user',
      run: failing(user, (tx) => save(tx, user.random.pick(others).id, 'planted')),
      mustFail: hasCode(INSUFFICIENT_PRIVILEGE),
    }),
    (user) => {
      const reason = user.random.pick([new Error('refused'), 'refused', undefined]);
      return {
        title: 'work that throws',
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- work may throw any value
        run: failing(user, () => Promise.reject(reason)),
        mustFail: (error) => error === reason,
      };
    },
    (user) => ({
      title: 'caught error',
      run: failing(user, (tx) => tx.query('SELECT 1/0').catch(() => undefined)),
      mustFail: (error) => String(error).includes('expected a savepoint'),
    }),
    (user) => ({
      title: 'statement over the time limit',
      run: failing(user, (tx) => tx.query('SELECT pg_sleep(600)'), 30),
      mustFail: mayNotEnd,
    }),
    (user) => {
      const name = user.nextName();
      const work = (tx: EntityManager) => save(tx, user.id, name);
      return {
        title: 'work at the time limit',
        run: async () => void (await database.asUser(user.id, work, { timeoutMs: 1 + user.random.below(10) })),
        after: () => add(user.rows, name),
      };
    },
    (user) => ({
      title: 'work over the time limit',
      run: failing(user, user.random.below(HANG_EVERY) === 0 ? hang : queryForEver, 20),
      mustFail: mayNotEnd,
    }),
    (user) => {
      const [name, lateName] = [user.nextName(), user.nextName()];
      let late = Promise.resolve(false);
      let isLateSaved = false;
      let isSaved = true;
      const work = async (tx: EntityManager) => {
        await save(tx, user.id, name);
        const insert = user.random.pick([
          save,
          (_: EntityManager, ...values: string[]) => tx.query(INSERT.text, values),
        ]);
        late = insert(tx, user.id, lateName).then(
          () => true,
          () => false,
        );
      };
      return {
        title: 'query that the work does not await',
        run: async () => {
          try {
            await database.asUser(user.id, work);
          } catch (error) {
            if (!String(error).includes('expected an await')) throw error;
            isSaved = false;
          } finally {
            isLateSaved = await late;
          }
        },
        after: () => (isSaved ? add(user.rows, name, ...(isLateSaved ? [lateName] : [])) : user.rows),
      };
    },
    (user) => ({
      title: 'end of the own session',
      run: failing(user, async (tx) => {
        const [session] = await tx.query<{ pid: number }[]>('SELECT pg_backend_pid() AS pid');
        await endSession(session?.pid);
        await tx.query('SELECT 1');
      }),
      mustFail: mayNotEnd,
    }),
    () => ({ title: 'end of a session', run: () => endSession() }),
  ];
  return (user, others) => user.random.pick(operations)(user, others);
}

function hang(): Promise<never> {
  return new Promise(() => undefined);
}

async function queryForEver(tx: EntityManager): Promise<never> {
  for (;;) {
    await sleep(5);
    await tx.query('SELECT 1');
  }
}
