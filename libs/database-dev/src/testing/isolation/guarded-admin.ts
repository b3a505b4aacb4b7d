import { loadModule } from 'libpg-query';
import type { Client } from 'pg';
import { parseText } from './parsed-text.js';
import { assertWithinDatabase } from './server-statements.js';

/** Refuses statements that change the server, which the tests of other files use at the same time. */
export async function guardServer(client: Client): Promise<Client> {
  await loadModule();
  const send = client.query.bind(client) as (...args: unknown[]) => unknown;
  const query = (...args: unknown[]) => {
    try {
      assertWithinDatabase(parseText(readText(args[0])) ?? [], client.database);
    } catch (error) {
      return refuse(args, error as Error);
    }
    return send(...args);
  };
  return Object.assign(client, { query });
}

function readText(query: unknown): string {
  const text = typeof query === 'object' && query !== null && 'text' in query ? query.text : query;
  return typeof text === 'string' ? text : '';
}

function refuse(args: readonly unknown[], error: Error): Promise<never> | undefined {
  const callback = args.find((argument) => typeof argument === 'function') as ((error: Error) => void) | undefined;
  if (!callback) return Promise.reject(error);
  callback(error);
  return undefined;
}
