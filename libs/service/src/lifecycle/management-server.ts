import { createServer, type Server, type ServerResponse } from 'node:http';
import type { HealthResponse } from '@airlock/health';

export interface ManagementOptions {
  readonly host: string;
  readonly port: number;
  readonly readMetrics: () => Promise<string>;
  readonly readHealth: () => Promise<HealthResponse>;
}

/** Serves metrics and the state of each component on a separate port that is never published. */
export async function startManagementServer({
  host,
  port,
  readMetrics,
  readHealth,
}: ManagementOptions): Promise<Server> {
  const routes: Readonly<Record<string, () => Promise<ManagementResponse>>> = {
    '/metrics': async () => ({
      statusCode: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      text: await readMetrics(),
    }),
    '/health': async () => toResponse(await readHealth()),
  };
  const server = createServer((request, response) => {
    const route = request.method === 'GET' || request.method === 'HEAD' ? routes[request.url ?? ''] : undefined;
    const result = route ? route() : Promise.resolve(NOT_FOUND);
    void result.catch(() => FAILED).then((known) => send(response, known));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  // The server must not keep the process alive.
  return server.unref();
}

interface ManagementResponse {
  readonly statusCode: number;
  readonly type: string;
  readonly text: string;
}

const NOT_FOUND: ManagementResponse = { statusCode: 404, type: 'text/plain', text: 'not found\n' };
const FAILED: ManagementResponse = { statusCode: 500, type: 'text/plain', text: 'failed\n' };

function toResponse({ statusCode, body }: HealthResponse): ManagementResponse {
  return { statusCode, type: 'application/health+json', text: JSON.stringify(body) };
}

function send(response: ServerResponse, { statusCode, type, text }: ManagementResponse): void {
  response.writeHead(statusCode, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
}
