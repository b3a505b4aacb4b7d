import { type DatabaseAddress, type Environment, traitsOf } from '@airlock/config';
import { type Client, DatabaseError } from 'pg';
import { createClientOptions, type ClientContext } from './client-options.js';
import { assertServer, findPoolerError } from '../identity/server.js';
import { endClient } from '../wire/end-client.js';
import { GuardedClient } from '../wire/guarded-client.js';
import { UntrustedServerError } from '../wire/untrusted-server-error.js';

export { ServerError } from '../identity/server.js';

/** A connected session outside of any pool; the caller ends it. Prefer `withClient`. */
export async function connectClient(address: DatabaseAddress, context: ClientContext): Promise<Client> {
  const client: Client = new GuardedClient(createClientOptions(address, context));
  // Without a listener, losing an idle session would end the process. The next query reports the loss.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw findPoolerError(error, address) ?? new ConnectionError(address, context.config.environment, error);
  }
  try {
    await assertServer(client, address);
  } catch (error) {
    await endClient(client);
    throw error;
  }
  return client;
}

/** One session for as long as `use` runs. */
export async function withClient<T>(
  address: DatabaseAddress,
  context: ClientContext,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connectClient(address, context);
  try {
    return await use(client);
  } finally {
    await endClient(client);
  }
}

/** The server rejected the connection. The message names the address and the role, never the password. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly exitCode = 69;
  readonly code: string | undefined;

  constructor({ host, port, database, user }: DatabaseAddress, environment: Environment, cause: unknown) {
    super(`database: ${user}@${host}:${port}/${database} ${describeCause(cause, environment)}`, { cause });
    this.code = (cause as { code?: string } | undefined)?.code;
  }
}

function describeCause(cause: unknown, environment: Environment): string {
  if (cause instanceof UntrustedServerError) return `${cause.problem}; expected ${cause.expected}\n  ${cause.fix}`;
  const reason = cause instanceof Error ? cause.message || (cause as { code?: string }).code : String(cause);
  // An error that the server itself sent, such as a wrong password or a missing right.
  const hasAnswered = cause instanceof DatabaseError;
  const canStart = !hasAnswered && traitsOf(environment).isServedFromSources;
  return (
    `${hasAnswered ? 'refuses the session' : 'does not answer'}: ${reason ?? 'unknown reason'}; expected a session\n` +
    `  airlock config print   # shows where that address comes from${canStart ? '; `make dev` starts the development database' : ''}`
  );
}
