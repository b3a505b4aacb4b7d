import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** So few that no process turns one away because it is busy. */
const CLIENTS = 4;
const PAUSE_MS = 25;

export interface KeptAlive {
  /** Ends once the server has told each client that it closes its connection. */
  readonly ended: Promise<{ readonly statuses: readonly number[]; readonly errors: readonly unknown[] }>;
}

/** Clients that ask one request after the other over a connection of their own. Returns when each has had a response. */
export async function startKeptAlive(url: string, headers: Readonly<Record<string, string>>): Promise<KeptAlive> {
  const statuses = new Set<number>();
  const errors: unknown[] = [];
  const run = async (onResponse: () => void) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      for (let isOpen = true; isOpen; await sleep(PAUSE_MS)) {
        const response = await ask(url, { agent, headers });
        statuses.add(response.status);
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
): Promise<{ status: number; closes: boolean }> {
  return new Promise((resolve, reject) => {
    const request = get(url, options, (response) => {
      const { statusCode: status = 0, headers } = response;
      response.resume().once('error', reject);
      response.once('end', () => resolve({ status, closes: headers.connection === 'close' }));
    });
    request.once('error', reject);
  });
}
