import type { DatabaseAddress } from '@airlock/config';
import type { Queryable } from './queryable.js';

const OLDEST_MAJOR = 18;

/** This code cannot work with the server at the address. Nothing was changed. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly exitCode = 78;
}

/**
 * Checked first on every session of a command, and once by a service at its start. A pooler is recognised by the limits
 * of the session: limits sent with the connection have the source `client` only on a session of PostgreSQL itself.
 *
 * @throws ServerError for a server that is too old, and for a pooler
 */
export async function assertServer(client: Queryable, address: DatabaseAddress): Promise<void> {
  const { rows } = await client.query<{ version: string; number: number; isDirect: boolean }>(SERVER);
  const { version, number, isDirect } = rows[0]!;
  if (number < OLDEST_MAJOR * 10_000) throw new ServerError(describeVersion(address, version));
  if (!isDirect) throw new ServerError(describePooler(address, 'it drops the limits that a session requests'));
}

/** @returns undefined for an error that has another cause */
export function findPoolerError(error: unknown, address: DatabaseAddress): ServerError | undefined {
  if (!(error instanceof Error) || !error.message.startsWith('unsupported startup parameter')) return undefined;
  return new ServerError(describePooler(address, error.message), { cause: error });
}

function describeVersion({ host, port }: DatabaseAddress, version: string): string {
  return (
    `database: ${host}:${port} runs PostgreSQL ${version}; expected ${OLDEST_MAJOR} or later\n` +
    '  upgrade the server, or set DATABASE_URL and DATABASE_MIGRATION_URL to a server of that version'
  );
}

function describePooler({ host, port }: DatabaseAddress, evidence: string): string {
  return (
    `database: ${host}:${port} is a connection pooler (${evidence}); expected PostgreSQL itself\n` +
    '  set the direct address of the server; see docs/poolers.md'
  );
}

const SERVER = `
  SELECT pg_catalog.current_setting('server_version') AS version,
         pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS number,
         (SELECT pg_catalog.bool_and(source = 'client') FROM pg_catalog.pg_settings
           WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout')) AS "isDirect"`;
