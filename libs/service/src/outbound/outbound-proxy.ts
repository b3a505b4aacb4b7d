import { createServer, type IncomingMessage, request as send, type Server, type ServerResponse } from 'node:http';
import { connect, type LookupFunction, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { PUBLIC_ONLY } from './create-dispatchers.js';
import { createPublicLookup, isPublicName } from './public-agent.js';

export interface Target {
  readonly host: string;
  readonly port: number;
}

export interface OutboundProxyOptions {
  readonly mayConnect: (target: Target) => boolean;
  readonly onRefused: (target: Partial<Target>) => void;
  readonly onFailed: (target: Target, error: Error) => void;
}

/** A target that is allowed, and how its name is resolved. */
type Allowed = Target & { readonly lookup?: LookupFunction };

const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;
const MAX_TUNNELS = 1_000;
const AUTHORITY = /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@[\]]+)):(\d{1,5})$/i;
/** About one connection only (RFC 9110, 7.6.1), or about the proxy. */
const NOT_FORWARDED = [
  ...['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['proxy-connection', 'proxy-authorization', PUBLIC_ONLY],
];

const publicLookup = createPublicLookup();

/**
 * A forward proxy: tunnels by CONNECT, and plain http as libraries send it to a proxy. It connects to targets that are
 * allowed, and to no other. Only it resolves their names.
 */
export class OutboundProxy {
  readonly server: Server;
  readonly #options: OutboundProxyOptions;
  readonly #tunnels = new Set<Duplex>();

  constructor(options: OutboundProxyOptions) {
    this.#options = options;
    this.server = createServer((request, response) => {
      this.#forward(request, response).catch(() => response.destroy());
    });
    this.server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
      this.#tunnel(request, client, head).catch(() => client.destroy());
    });
  }

  /** Accepts no connection any more. Tunnels may end by themselves until the time limit. */
  async close(limitMs: number): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    const timer = setTimeout(() => this.#tunnels.forEach((client) => client.destroy()), limitMs);
    await closed;
    clearTimeout(timer);
  }

  async #tunnel(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    client.on('error', () => client.destroy());
    // At once: after the end of the stream it would be too late.
    if (head.length > 0) client.unshift(head);
    // Always a response: the fetch of Node 24 asks again at once, and without end, if the connection just closes.
    const refuse = (status: string) => void client.end(`HTTP/1.1 ${status}\r\n\r\n`);
    if (this.#tunnels.size >= MAX_TUNNELS) return refuse('503 Service Unavailable');
    this.#tunnels.add(client);
    client.once('close', () => this.#tunnels.delete(client));
    const target = this.#judge(parseAuthority(request.url ?? ''), request);
    const far = target && (await this.#open(target));
    if (!far) return refuse(target ? '502 Bad Gateway' : '403 Forbidden');
    if (client.destroyed) return void far.destroy();
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    join(client, far);
    join(far, client);
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/startupz') return void response.end();
    const url = parsePlain(request.url ?? '');
    if (!url) return void response.writeHead(400).end();
    const target = this.#judge({ host: bare(url.hostname), port: Number(url.port || 80) }, request);
    const far = target && (await this.#open(target));
    if (!far) return void response.writeHead(target ? 502 : 403).end();
    response.once('close', () => far.destroy());
    if (response.destroyed) return void far.destroy();
    const { method } = request;
    const headers = { ...withoutHops(request), host: url.host, connection: 'close' };
    const asked = send({ createConnection: () => far, method, path: `${url.pathname}${url.search}`, headers });
    // A response that has begun cannot become an error: it is cut off.
    asked.once('error', () => response.destroy());
    asked.once('response', (received) => {
      response.writeHead(received.statusCode ?? 502, withoutHops(received));
      received.once('error', () => response.destroy()).pipe(response);
    });
    request.pipe(asked);
  }

  #judge(target: Target | undefined, { headers }: IncomingMessage): Allowed | undefined {
    const isPublicOnly = headers[PUBLIC_ONLY] !== undefined;
    const isAllowed = target && this.#options.mayConnect(target) && (!isPublicOnly || isPublicName(target.host));
    if (isAllowed) return { ...target, ...(isPublicOnly && { lookup: publicLookup }) };
    this.#options.onRefused(target ?? {});
    return undefined;
  }

  #open(target: Allowed): Promise<Socket | undefined> {
    return new Promise((resolve) => {
      const keepAlive = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
      const far = connect({ ...target, ...keepAlive, allowHalfOpen: true });
      const fail = (error: Error) => {
        this.#options.onFailed(target, error);
        resolve(undefined);
      };
      far.setTimeout(CONNECT_TIMEOUT_MS, () => far.destroy(new Error('did not respond')));
      far.once('error', fail);
      far.once('connect', () => {
        far.setTimeout(0);
        far.removeListener('error', fail);
        resolve(far);
      });
    });
  }
}

/** Each side may end before the other. One that is cut off cuts the other off. */
function join(from: Duplex, to: Duplex): void {
  from.pipe(to);
  if (from.readableEnded) to.end();
  from.once('error', () => to.destroy());
  from.once('close', () => void (from.readableEnded || to.destroy()));
}

function parseAuthority(text: string): Target | undefined {
  const [, address, name, port] = AUTHORITY.exec(text) ?? [];
  const host = address ?? name;
  return host !== undefined && Number(port) > 0 && Number(port) < 2 ** 16 ? { host, port: Number(port) } : undefined;
}

function parsePlain(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'http:' && url.username === '' && url.password === '' ? url : undefined;
}

function withoutHops({ headers }: IncomingMessage): IncomingMessage['headers'] {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const isKept = (name: string) => !NOT_FORWARDED.includes(name) && !named.includes(name);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => isKept(name)));
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
