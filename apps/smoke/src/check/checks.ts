import { type Environment, traitsOf } from '@airlock/config';
import type { SmokeResponse, Get } from './create-get.js';
import { probedResource } from '@airlock/model/probed-resource';

export interface Expectation {
  /** Default: only the checks that apply to every environment. */
  readonly environment?: Environment | undefined;
  readonly url: string;
  /** The expected image and the commit that it was built from; not checked if not given. */
  readonly digest?: string | undefined;
  readonly commit?: string | undefined;
}

export interface Check {
  /** A fact about the API. */
  readonly fact: string;
  readonly appliesTo?: (expected: Expectation) => boolean;
  /** Throws the difference that it found. Never writes. */
  readonly look: (get: Get, expected: Expectation) => Promise<void>;
}

const mustLast = ({ environment }: Expectation) => environment !== undefined && !traitsOf(environment).isDisposable;
const isHttps = ({ url }: Expectation) => url.startsWith('https:');

/** The facts about the API that a client without a token can check. */
export const checks: readonly Check[] = [
  {
    fact: '/healthz returns 200 ok',
    look: async (get) => expectHealthy(await get('/healthz')),
  },
  {
    fact: '/readyz returns 200, at worst degraded',
    look: async (get) => {
      const answer = await get('/readyz');
      expectStatus(answer, 200);
      expectOneOf('status', answer.json()['status'], ['ok', 'degraded']);
    },
  },
  {
    fact: '/startupz returns 200 ok',
    look: async (get) => expectHealthy(await get('/startupz')),
  },
  {
    fact: 'health routes support HEAD and are never cached',
    look: async (get) => {
      const answer = await get('/healthz', { method: 'HEAD' });
      expectStatus(answer, 200);
      expectHeader(answer, 'cache-control', /no-store/);
    },
  },
  {
    fact: '/version returns the digest of the deployed image',
    appliesTo: ({ digest }) => digest !== undefined,
    look: async (get, { digest }) => expectEqual('digest', (await get('/version')).json()['digest'], digest),
  },
  {
    fact: '/version returns the commit of the deployed image',
    appliesTo: ({ commit }) => commit !== undefined,
    look: async (get, { commit = '' }) => {
      const said = (await get('/version')).json()['commit'];
      // Production may be configured to return only a prefix.
      if (typeof said !== 'string' || said.length < 7 || !commit.startsWith(said)) expectEqual('commit', said, commit);
    },
  },
  {
    fact: `${probedResource.plural} are not shown without a token`,
    look: async (get) => expectProblem(await get(probedResource.path), 401),
  },
  {
    fact: 'an invalid token is rejected',
    look: async (get) => {
      expectProblem(await get(probedResource.path, { headers: { authorization: 'Bearer not-a-token' } }), 401);
    },
  },
  {
    fact: 'an unknown path is a 404 problem',
    look: async (get) => expectProblem(await get('/api/v1/no-such-thing'), 404),
  },
  {
    fact: 'detailed health and metrics are not reachable from outside',
    appliesTo: mustLast,
    look: async (get) => {
      for (const path of ['/health', '/metrics']) expectStatus(await get(path), 404);
    },
  },
  {
    fact: 'documentation and console are off in production',
    appliesTo: ({ environment }) => environment !== undefined && !traitsOf(environment).mayShowPages,
    look: async (get) => expectStatus(await get('/api/v1/docs'), 404),
  },
  {
    fact: 'every response has a request id',
    look: async (get) => expectHeader(await get(probedResource.path), 'x-request-id', /^[\w.-]{8,}$/),
  },
  {
    fact: 'no response reveals the software of the server',
    look: async (get) => {
      const { headers } = await get(probedResource.path);
      expectEqual('x-powered-by', headers.get('x-powered-by'), null);
      expectEqual('content type sniffing', headers.get('x-content-type-options'), 'nosniff');
    },
  },
  {
    fact: 'HSTS makes browsers stay on HTTPS',
    appliesTo: (expected) => mustLast(expected) && isHttps(expected),
    look: async (get) => expectHeader(await get(probedResource.path), 'strict-transport-security', /max-age=\d{7,}/),
  },
  {
    fact: 'plain HTTP is not served',
    appliesTo: (expected) => mustLast(expected) && isHttps(expected),
    look: async (_get, { url }) => {
      const { hostname, port } = new URL(url);
      // An edge on another port has no port 80; its own port must not serve without TLS.
      const plain = `http://${hostname}${port && `:${port}`}/healthz`;
      const status = await fetch(plain, { redirect: 'manual' }).then((response) => response.status, describeClosed);
      const isServed = port === '' ? typeof status === 'number' && (status < 300 || status > 399) : status === 200;
      if (isServed) expectEqual(`status of ${plain}`, status, 308);
    },
  },
];

/** A port that is closed, or that closes connections without TLS, serves nothing. */
function describeClosed(error: unknown): string {
  const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'UND_ERR_SOCKET' || code?.startsWith('HPE_'))
    return code;
  throw error;
}

function expectHealthy(answer: SmokeResponse): void {
  expectStatus(answer, 200);
  expectEqual('status', answer.json()['status'], 'ok');
}

function expectProblem(answer: SmokeResponse, status: number): void {
  expectStatus(answer, status);
  expectHeader(answer, 'content-type', /^application\/problem\+json/);
  expectEqual('status in the body', answer.json()['status'], status);
}

function expectStatus(answer: SmokeResponse, status: number): void {
  if (answer.status !== status) throw new Error(`status ${answer.status}; expected ${status}`);
}

function expectHeader({ headers }: SmokeResponse, name: string, pattern: RegExp): void {
  const value = headers.get(name);
  if (value === null || !pattern.test(value))
    throw new Error(`${name}: ${value ?? 'none'}; expected ${pattern.source}`);
}

function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (actual === expected) return;
  throw new Error(`${what} ${JSON.stringify(actual)}; expected ${JSON.stringify(expected)}`);
}

function expectOneOf(what: string, actual: unknown, expected: readonly unknown[]): void {
  if (!expected.includes(actual)) expectEqual(what, actual, expected);
}
