import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

const CLIENTS = 4;
const PAUSE_MS = 25;

export interface KeptAlive {
  /**
   * Resolves when the server has told each client that it closes the connection. Requests that a busy machine rejects
   * as `overloaded` are not counted.
   */
  readonly ended: Promise<{ readonly statuses: readonly number[]; readonly errors: readonly unknown[] }>;
}

/**
 * Clients that each send one request after the other over their own connection. Returns when each has had a response.
 */
export async function startKeptAlive(url: string, headers: Readonly<Record<string, string>>): Promise<KeptAlive> {
  const statuses = new Set<number>();
  const errors: unknown[] = [];
  const run = async (onResponse: () => void) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      for (let isOpen = true; isOpen; await sleep(PAUSE_MS)) {
        const response = await ask(url, { agent, headers });
        if (!response.isOverloaded) statuses.add(response.status);
        isOpen = !response.closes;
        onResponse();
      }
    } catch (error) {
      errors.push(error);
      onResponse();
    }
    agent.destroy();
  };
  const clients = Array.from({ length: CLIENTS }, () => {
    const { promise: started, resolve } = Promise.withResolvers<void>();
    return { started, ended: run(resolve) };
  });
  await Promise.all(clients.map(({ started }) => started));
  const ended = Promise.all(clients.map((client) => client.ended)).then(() => ({ statuses: [...statuses], errors }));
  return { ended };
}

function ask(
  url: string,
  options: { agent: Agent; headers: Readonly<Record<string, string>> },
): Promise<{ status: number; isOverloaded: boolean; closes: boolean }> {
  return new Promise((resolve, reject) => {
    const request = get(url, options, (response) => {
      const { statusCode: status = 0, headers } = response;
      text(response)
        .then((body) => ({
          status,
          isOverloaded: status === 503 && isOverloaded(body),
          closes: headers.connection === 'close',
        }))
        .then(resolve, reject);
    });
    request.once('error', reject);
  });
}

function isOverloaded(body: string): boolean {
  return (JSON.parse(body) as { code?: string }).code === 'overloaded';
}
