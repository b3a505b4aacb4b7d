import type { DatabaseAddress } from '@airlock/config';
import type { Client } from 'pg';
import { withClient, type SessionConfig } from '@airlock/database/internal';

const SECOND = 1000;
const MEBIBYTE = 1024 ** 2;

/** Limits of a reset session for any server: at either limit the connection is closed. */
export interface SessionLimit {
  readonly step: string;
  readonly ms: number;
  readonly bytes: number;
}

export const LIMITS = {
  lock: { step: 'waiting for another reset', ms: 75 * SECOND, bytes: MEBIBYTE },
  judge: { step: 'checking the server', ms: 30 * SECOND, bytes: 64 * MEBIBYTE },
  look: { step: 'looking into the database', ms: 30 * SECOND, bytes: 64 * MEBIBYTE },
  stamp: { step: 'stamping the clone', ms: 60 * SECOND, bytes: MEBIBYTE },
  clone: { step: 'cloning the template', ms: 150 * SECOND, bytes: MEBIBYTE },
  prepare: { step: 'migrating and seeding the clone', ms: 600 * SECOND, bytes: 0 },
  swap: { step: 'swapping the names', ms: 150 * SECOND, bytes: MEBIBYTE },
} as const satisfies Record<string, SessionLimit>;

/** The server was too slow or sent too much. */
export class ResetLimitError extends Error {
  override readonly name = 'ResetLimitError';
  readonly exitCode = 69;

  constructor({ step }: SessionLimit, exceeded: string) {
    super(
      `reset-test: ${step}: the server ${exceeded}; expected a response within the limits\n` +
        '  find out which program listens on this port, and why it waits',
    );
  }
}

interface BoundedContext {
  readonly config: SessionConfig;
  readonly purpose: string;
  readonly limit: SessionLimit;
}

export function withBoundedClient<T>(
  address: DatabaseAddress,
  { config, purpose, limit }: BoundedContext,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  return withClient(address, { config, purpose, isStrict: true }, (client) =>
    bounded(client, limit, () => use(client)),
  );
}

/** Does the work on a session, and closes the session when the work takes too long or receives too much. */
export async function bounded<T>(client: Client, limit: SessionLimit, work: () => Promise<T>): Promise<T> {
  const { stream } = client.connection;
  let exceeded: ResetLimitError | undefined;
  let bytes = 0;
  const cut = (what: string) => {
    exceeded ??= new ResetLimitError(limit, what);
    stream.destroy();
  };
  const timer = setTimeout(() => cut(`took over ${limit.ms / SECOND} s`), limit.ms);
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limit.bytes) cut(`sent over ${limit.bytes} bytes`);
  };
  stream.on('data', count);
  try {
    return await work();
  } catch (error) {
    throw exceeded ?? error;
  } finally {
    clearTimeout(timer);
    stream.off('data', count);
  }
}

/** For work on sessions that do not belong to the reset; the work is abandoned, not ended. */
export async function withinTime<T>(limit: SessionLimit, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ResetLimitError(limit, `took over ${limit.ms / SECOND} s`)), limit.ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
