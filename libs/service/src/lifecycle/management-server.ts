import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Health, HealthResponse } from '@airlock/health';

export interface ManagementOptions {
  readonly host: string;
  readonly port: number;
  readonly readMetrics: () => Promise<string>;
  readonly readHealth: () => Promise<HealthResponse>;
  /** Of a program whose probes are served here, because it has no other port. */
  readonly probes?: Health;
}

/** Serves metrics and the state of each component on a separate port that is never published. */
export async function startManagementServer({
  host,
  port,
  readMetrics,
  readHealth,
  probes,
}: ManagementOptions): Promise<Server> {
  const routes: Readonly<Record<string, () => Promise<ManagementResponse>>> = {
    '/metrics': async () => ({
      statusCode: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      text: await readMetrics(),
    }),
    '/health': async () => toResponse(await readHealth(), 'application/health+json'),
    ...(probes && createProbes(probes)),
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

function createProbes(health: Health): Readonly<Record<string, () => Promise<ManagementResponse>>> {
  const type = 'application/json; charset=utf-8';
  return {
    '/healthz': () => Promise.resolve(toResponse(health.healthz(), type)),
    '/readyz': async () => toResponse(await health.readyz(), type),
    '/startupz': async () => toResponse(await health.startupz(), type),
    '/version': () => Promise.resolve(toResponse(health.version(), type)),
  };
}

function toResponse({ statusCode, body }: HealthResponse, type: string): ManagementResponse {
  return { statusCode, type, text: JSON.stringify(body) };
}

function send(response: ServerResponse, { statusCode, type, text }: ManagementResponse): void {
  response.writeHead(statusCode, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
}
