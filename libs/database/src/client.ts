import type { DatabaseAddress } from '@airlock/config';
import { Client } from 'pg';
import { createClientOptions, type ClientContext } from './client-options.js';

/** A connected session of its own; the caller ends it. Prefer `withClient`. */
export async function connectClient(address: DatabaseAddress, context: ClientContext): Promise<Client> {
  const client = new Client(createClientOptions(address, context));
  // Without a listener the loss of an idle session would end the process; the next query reports it instead.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new ConnectionError(address, error);
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
    await client.end();
  }
}

/** The server did not let us in. Says where and as whom, never with which password. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly exitCode = 69;
  readonly code: string | undefined;

  constructor({ host, port, database, user }: DatabaseAddress, cause: unknown) {
    const reason = cause instanceof Error ? cause.message || (cause as { code?: string }).code : String(cause);
    super(
      `database: ${user}@${host}:${port}/${database} does not answer: ${reason ?? 'unknown reason'}; expected a session\n` +
        '  airlock config print   # says where that address comes from; `make dev` starts the database of development',
      { cause },
    );
    this.code = (cause as { code?: string } | undefined)?.code;
  }
}
