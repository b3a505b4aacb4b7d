import type { Client } from 'pg';

const GOODBYE_MS = 2_000;

/** Ends the session, and closes the connection itself if the server does not: pg would wait for ever. */
export async function endClient(client: Client): Promise<void> {
  const timer = setTimeout(() => client.connection.stream.destroy(), GOODBYE_MS);
  try {
    await client.end();
  } finally {
    clearTimeout(timer);
  }
}
