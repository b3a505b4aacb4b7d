import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config, Environment } from '@airlock/config';
import type { Logger } from 'pino';
import { HttpPeers, type HttpPeersOptions } from '../outbound/http-peers.js';
import { Outbound } from '../outbound/outbound.js';
import type { Departure } from '../telemetry/prometheus-metrics.js';

/** Stands for hosts that are outside: every address of 127.0.0.0/8 is on this machine, and only 127.0.0.1 is inside. */
export const OUTSIDE = '127.0.0.2';
export const MAIL_HOST = '127.0.0.3';

/** The outbound parts of a process, without the process. */
export function createOutside(
  environment: Environment,
  { hosts = [], proxy, ...options }: Partial<HttpPeersOptions> & { hosts?: readonly string[]; proxy?: string } = {},
) {
  const lines: object[] = [];
  const departures: Departure[] = [];
  const write = (fields: object, event: string) => void lines.push({ event, ...fields });
  const outbound = new Outbound({
    ...{ environment, outbound: { hosts, proxy } },
    logger: { info: write, warn: write } as unknown as Logger,
    onDeparture: (departure) => void departures.push(departure),
  });
  const peers = new HttpPeers({ config: {} as Config, outbound, timeoutMs: 2_000, maxRetries: 2, ...options });
  return { outbound, peers, lines, departures };
}

/** An HTTP server that records what it gets. */
export class RecordingServer {
  readonly seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
  /** One status for each request; without one, it never responds. */
  statuses: number[] = [];
  /** How many requests ended before their response. */
  abandoned = 0;
  headers: Record<string, string> = {};
  body: string | Buffer = '';
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      const status = this.statuses.shift();
      response.on('close', () => (this.abandoned += Number(!response.writableEnded)));
      request.on('data', (chunk: Buffer) => void chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        this.seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
        if (status !== undefined) response.writeHead(status, this.headers).end(this.body);
      });
    });
  }

  static async start(host = '127.0.0.1'): Promise<RecordingServer> {
    const server = new RecordingServer();
    await new Promise<void>((resolve) => server.#server.listen(0, host, resolve));
    return server;
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  reset(): void {
    this.seen.length = 0;
    Object.assign(this, { statuses: [], abandoned: 0, headers: {}, body: '' });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
