import { EventEmitter } from 'node:events';
import type { PoolClient, QueryResult } from 'pg';
import { createLease } from './lease.js';
import type { RollbackSession } from './rollback-session.js';

type ConnectCallback = (error: Error | undefined, client: PoolClient, release: () => void) => void;

/** The parts of pg's Pool that TypeORM and our own code use, on a session that is rolled back. */
export class RollbackPool extends EventEmitter {
  readonly #session: RollbackSession;

  constructor(session: RollbackSession) {
    super();
    this.#session = session;
  }

  connect(callback?: ConnectCallback): Promise<PoolClient> | undefined {
    const client = createLease(this.#session);
    if (!callback) return Promise.resolve(client);
    callback(undefined, client, () => client.release());
    return undefined;
  }

  async query(...args: unknown[]): Promise<QueryResult> {
    return (createLease(this.#session).query as (...args: unknown[]) => Promise<QueryResult>)(...args);
  }

  /** The session belongs to the fixture. */
  end(callback?: () => void): Promise<void> {
    callback?.();
    return Promise.resolve();
  }
}
