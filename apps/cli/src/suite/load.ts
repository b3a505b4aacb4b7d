import { Agent, request } from 'node:http';
import { Agent as TlsAgent, request as requestTls } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { isQuick } from './run.js';

export interface LoadReport {
  readonly requests: number;
  readonly posts: number;
  /** The failures with their number: a status that is not 2xx, or the error code of a connection. */
  readonly failures: Readonly<Record<string, number>>;
  readonly failed: number;
  /** The requests that the API refused before any work because its machine was busy, and that were sent again. */
  readonly shed: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The digests in responses to GET, in the order of their first response. */
  readonly digests: readonly string[];
}

export interface Load {
  /** The number of requests that got a response so far. */
  count(): number;
  /** Continues until this many requests were sent, then ends. A second call returns the same result. */
  finish(atLeast?: number): Promise<LoadReport>;
}

export interface LoadOptions {
  /** The prefix of the ids of POST. */
  readonly prefix: string;
  readonly getPath?: string;
  readonly postPath?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly createBody?: (id: string) => string;
  /** For an edge with TLS: the certificate to trust. The address is localhost. */
  readonly ca?: string;
  /** The pause of each client between requests. */
  readonly pauseMs?: number;
}

/** Each client has at most one request in progress. Fewer in a quick run: the API sheds load on a busy machine. */
export const CLIENTS = isQuick ? 12 : 24;
/** What the API asks for in `Retry-After` when it sheds a request. */
const RETRY_AFTER_MS = 1_000;
/** The load must be continuous, not high. */
const PAUSE_MS = 15;

/** Where the clients must notice an outage, and leave the machine to the deploys or to the real API. */
export const LIGHT_PAUSE_MS = 100;

/** Keep-alive clients on loopback that send GET and POST in turn, each request once, until they are stopped. */
export function startLoad(port: number, options: LoadOptions): Load {
  const sockets = { keepAlive: true, maxSockets: CLIENTS };
  const agent = options.ca === undefined ? new Agent(sockets) : new TlsAgent({ ...sockets, ca: options.ca });
  const state = { requests: 0, posts: 0, shed: 0, stop: false, until: 0 };
  const failures: Record<string, number> = {};
  const timesMs: number[] = [];
  const digests = new Set<string>();
  const start = performance.now();

  const client = async (number: number) => {
    for (let turn = 0; !state.stop || state.requests < state.until; turn++) {
      const isPost = turn % 2 === 1;
      const sent = performance.now();
      const call = createCall(options, isPost ? `${options.prefix}-${number}-${turn}` : undefined);
      let answer = await send(agent, port, call);
      for (; isShed(answer.body); answer = await send(agent, port, call)) {
        state.shed++;
        await sleep(RETRY_AFTER_MS);
      }
      timesMs.push(performance.now() - sent);
      state.requests++;
      if (isPost) state.posts++;
      if (answer.problem !== undefined) failures[answer.problem] = (failures[answer.problem] ?? 0) + 1;
      const digest = /"digest":"(sha256:[0-9a-f]+)"/.exec(answer.body)?.[1];
      if (digest !== undefined) digests.add(digest);
      await sleep(options.pauseMs ?? PAUSE_MS);
    }
  };
  const clients = Array.from({ length: CLIENTS }, (_, number) => client(number));

  let ended: Promise<LoadReport> | undefined;
  const end = async (atLeast: number): Promise<LoadReport> => {
    state.until = atLeast;
    state.stop = true;
    await Promise.all(clients);
    agent.destroy();
    const seconds = (performance.now() - start) / 1_000;
    const sorted = timesMs.sort((a, b) => a - b);
    return {
      requests: state.requests,
      posts: state.posts,
      failures,
      shed: state.shed,
      failed: Object.values(failures).reduce((sum, count) => sum + count, 0),
      seconds: Math.round(seconds),
      perSecond: Math.round(state.requests / seconds),
      p99Ms: Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? 0),
      maxMs: Math.round(sorted.at(-1) ?? 0),
      digests: [...digests],
    };
  };
  return {
    count: () => state.requests,
    finish: (atLeast = 0) => (ended ??= end(atLeast)),
  };
}

/** Unlike every other 503, it comes from a replica that serves and says when to try again. */
function isShed(body: string): boolean {
  return body.includes('"code":"overloaded"');
}

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

function createCall(options: LoadOptions, id: string | undefined): Call {
  const {
    getPath = '/who',
    postPath = '/posts',
    headers = {},
    createBody = (one) => JSON.stringify({ id: one }),
  } = options;
  if (id === undefined) return { method: 'GET', path: getPath, headers, body: undefined };
  return { method: 'POST', path: postPath, headers, body: createBody(id) };
}

function send(agent: Agent, port: number, call: Call): Promise<{ problem?: string; body: string }> {
  const { method, path, headers, body: sent } = call;
  const [begin, host] = agent instanceof TlsAgent ? [requestTls, 'localhost'] : [request, '127.0.0.1'];
  return new Promise((resolve) => {
    const outgoing = begin({ host, port, method, path, headers, agent, timeout: 30_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => (body += part));
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        resolve(status >= 200 && status < 300 ? { body } : { problem: `${method} ${status}`, body });
      });
      response.on('error', (error: NodeJS.ErrnoException) =>
        resolve({ problem: `${method} ${error.code ?? ''}`, body }),
      );
    });
    outgoing.on('timeout', () => outgoing.destroy(Object.assign(new Error('timeout'), { code: 'TIMEOUT' })));
    outgoing.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ problem: `${method} ${error.code ?? ''}`, body: '' }),
    );
    outgoing.end(sent);
  });
}
