import { withClient } from '@airlock/database';
import type { TestDatabase } from '@airlock/database-dev/testing';
import type { Random } from '../testing/random.fixture.js';
import { removeLimits } from './data-access.fixture.js';
import type { Seen } from './tracked-user.fixture.js';

export interface Administrator {
  /** The rows of a user, after every transaction that is changing rows now has ended. */
  readonly readRows: (userId: string) => Promise<readonly Seen[]>;
  /** Ends the session with this process id, or any session of the application. */
  readonly endSession: (pid?: number) => Promise<void>;
}

export function createAdministrator(test: TestDatabase, random: Random): Administrator {
  const { app, admin = app } = test.config.database;
  const context = { config: removeLimits(test.config, { poolSize: 1 }), purpose: 'spec' };
  // The session of the test database runs one statement at a time.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    // In another session: work that waits for `endSession` has an open transaction, for which this would wait.
    readRows: (userId) =>
      withClient(admin, context, async (session) => {
        await session.query('BEGIN; LOCK TABLE parcels IN SHARE MODE');
        const { rows } = await session.query<Seen>(
          'SELECT owner_id AS "ownerId", name, version FROM parcels WHERE owner_id = $1',
          [userId],
        );
        return rows;
      }),
    endSession: async (pid) => {
      const end = () =>
        test.query(
          `SELECT pg_terminate_backend(pid) FROM (
             SELECT pid FROM pg_stat_activity
             WHERE datname = current_database() AND usename = $1 AND pid = coalesce($2, pid)
             ORDER BY pid OFFSET $3 LIMIT 1) AS session`,
          [app.user, pid, pid === undefined ? random.below(2) : 0],
        );
      const ended = turn.then(end);
      turn = ended.catch(() => undefined);
      await ended;
    },
  };
}
