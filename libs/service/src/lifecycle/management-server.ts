import { createServer, type Server, type ServerResponse } from 'node:http';
import type { HealthAnswer } from '@airlock/health';

export interface ManagementOptions {
  readonly host: string;
  readonly port: number;
  readonly readMetrics: () => Promise<string>;
  readonly readHealth: () => Promise<HealthAnswer>;
}

/** Metrics and the state of each component, on a port of their own that is never published. */
export async function startManagementServer({
  host,
  port,
  readMetrics,
  readHealth,
}: ManagementOptions): Promise<Server> {
  const routes: Readonly<Record<string, () => Promise<Answer>>> = {
    '/metrics': async () => ({
      statusCode: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      text: await readMetrics(),
    }),
    '/health': async () => toAnswer(await readHealth()),
  };
  const server = createServer((request, response) => {
    const route = request.method === 'GET' || request.method === 'HEAD' ? routes[request.url ?? ''] : undefined;
    const answer = route ? route() : Promise.resolve(NOT_FOUND);
    void answer.catch(() => FAILED).then((known) => send(response, known));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  // It lives as long as the process does and no longer.
  return server.unref();
}

interface Answer {
  readonly statusCode: number;
  readonly type: string;
  readonly text: string;
}

const NOT_FOUND: Answer = { statusCode: 404, type: 'text/plain', text: 'not found\n' };
const FAILED: Answer = { statusCode: 500, type: 'text/plain', text: 'failed\n' };

function toAnswer({ statusCode, body }: HealthAnswer): Answer {
  return { statusCode, type: 'application/health+json', text: JSON.stringify(body) };
}

function send(response: ServerResponse, { statusCode, type, text }: Answer): void {
  response.writeHead(statusCode, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
}
