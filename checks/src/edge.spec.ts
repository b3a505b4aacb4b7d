import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { dockerApi, type ApiCall } from './docker-api.js';
import { readText } from './repository.js';

// The proxy in front of the API, and its replacement in the suites, must agree with the numbers of the service.
const SECOND = 1_000;
const swarm = read('docker/swarm.yml');
const traefik = read('docker/traefik/edge.yml').services['traefik']?.environment ?? {};
const traefikInSwarm = { ...traefik, ...swarm.services['traefik']?.environment };
const labels = toLabels(swarm['x-labels']);
const haproxy = readText('docker/haproxy/haproxy.cfg').replace(/#.*$/gm, '');

/** The values of docs/configuration.md, which is generated from the schema, for preview, staging and production. */
const configured = (name: string): number[] => {
  const rows = readText('docs/configuration.md')
    .split('\n')
    .filter((line) => line.startsWith(`| \`${name}\``))
    .map((line) => [...line.matchAll(/`(\d+(?:ms|s|m))`/g)].map(([, text = '']) => toMs(text)));
  return rows.find((cells) => cells.length === 5)?.slice(2) ?? [];
};

describe('the edge', () => {
  it('has the same rules on Swarm as on Compose', () => {
    expect(toLabels(read('docker/hosted.yml').services['api']?.labels)).toEqual(labels);
  });

  it('finds tasks by their addresses, each second, through the socket proxy', () => {
    expect(traefikInSwarm).toMatchObject({
      TRAEFIK_PROVIDERS_DOCKER: 'false',
      TRAEFIK_PROVIDERS_SWARM_ENDPOINT: 'tcp://socket-proxy:2375',
      TRAEFIK_PROVIDERS_SWARM_EXPOSEDBYDEFAULT: 'false',
      TRAEFIK_PROVIDERS_SWARM_REFRESHSECONDS: '1',
      TRAEFIK_PROVIDERS_PROVIDERSTHROTTLEDURATION: '1s',
    });
    expect(Object.values(swarm.services).map(({ deploy }) => deploy?.endpoint_mode)).not.toContain(undefined);
  });

  it('serves no pages itself, and requests trusted certificates only in production', () => {
    expect(traefik['TRAEFIK_API']).toBe('false');
    const authority = 'TRAEFIK_CERTIFICATESRESOLVERS_LETSENCRYPT_ACME_CASERVER';
    expect(traefik[authority]).toContain('acme-staging');
    const others = ['docker/swarm.yml', 'docker/traefik/compose.yml', 'compose.staging.yml', 'compose.preview.yml'];
    for (const path of others) expect(readText(path)).not.toContain(authority);
    expect(readText('compose.production.yml')).toContain(
      `${authority}: https://acme-v02.api.letsencrypt.org/directory`,
    );
  });

  it('applies every declared middleware: HSTS, a rate limit, and a retry if nothing was sent', () => {
    const named = (labels['traefik.http.routers.api.middlewares'] ?? '').split(',');
    const made = Object.keys(labels).flatMap((name) => /^traefik\.http\.middlewares\.([^.]+)\./.exec(name)?.[1] ?? []);
    expect(named.sort()).toEqual([...new Set(made)].sort());
    expect(named).toEqual(['hsts', 'limit', 'retry']);
  });

  it('notices a draining replica before it stops serving', () => {
    const [intervalMs, timeoutMs] = ['interval', 'timeout'].map((name) => toMs(check(name)));
    const throttleMs = toMs(traefik['TRAEFIK_PROVIDERS_PROVIDERSTHROTTLEDURATION'] ?? '');
    expect(check('path')).toBe('/readyz');
    for (const drainMs of configured('SHUTDOWN_DRAIN')) {
      expect((intervalMs ?? NaN) + (timeoutMs ?? NaN) + throttleMs + SECOND).toBeLessThanOrEqual(drainMs);
    }
  });

  it('waits longer than a request may take, and closes idle connections before the API does', () => {
    const readMs = toMs(traefik['TRAEFIK_ENTRYPOINTS_WEBSECURE_TRANSPORT_RESPONDINGTIMEOUTS_READTIMEOUT'] ?? '');
    const idleMs = toMs(traefik['TRAEFIK_SERVERSTRANSPORT_FORWARDINGTIMEOUTS_IDLECONNTIMEOUT'] ?? '');
    const keepAliveS = Number(
      /KEEP_ALIVE_MS = (\d+) \* SECOND/.exec(readText('libs/service/src/http/create-adapter.ts'))?.[1],
    );
    expect(configured('REQUEST_TIMEOUT')).toHaveLength(3);
    for (const requestMs of configured('REQUEST_TIMEOUT')) expect(readMs).toBeGreaterThan(requestMs);
    expect(idleMs).toBeLessThan(keepAliveS * SECOND);
  });
});

describe.each([
  {
    provider: 'Swarm',
    file: 'docker/swarm.yml',
    reads: ['/version', '/_ping', '/services', '/tasks', '/networks', '/nodes', '/nodes/ID', '/events'],
  },
  {
    provider: 'Docker',
    file: 'docker/traefik/edge.yml',
    reads: ['/version', '/_ping', '/containers/json', '/containers/ID/json', '/networks', '/events'],
  },
])('the socket proxy of the $provider provider', ({ file, reads }) => {
  const expressions = parseAllowList(file);
  const allows = ({ method, path }: ApiCall) => expressions.some((rule) => rule.method === method && rule.test(path));
  const needed = [{ method: 'HEAD', path: '/_ping' }, ...reads.map((path) => ({ method: 'GET', path }))];
  const isNeeded = ({ method, path }: ApiCall) => needed.some((call) => call.method === method && call.path === path);
  const ids = ['wq5b1ys2jk2zzyh1x4cmyqtm0', '4f2c0e7b91d3'];
  const spell = ({ method, path }: ApiCall) =>
    ['', '/v1.24', '/v1.51', '/v1.9'].flatMap((version) =>
      ids.map((id) => ({ method, path: `${version}${path.replace('ID', id)}` })),
    );

  it('allows every call that Traefik makes, with and without a version', () => {
    expect(needed.flatMap(spell).filter((call) => !allows(call))).toEqual([]);
  });

  it('refuses every other call of the engine', () => {
    const others = dockerApi.filter((call) => !isNeeded(call));
    expect(others).toHaveLength(dockerApi.length - needed.length);
    expect(others.flatMap(spell).filter(allows)).toEqual([]);
  });

  it('allows no method but GET, and HEAD of the ping', () => {
    const methods = ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'];
    const paths = new Set(dockerApi.map(({ path }) => path));
    const calls = methods.flatMap((method) => [...paths].map((path) => ({ method, path })));
    expect(calls.flatMap(spell).filter(allows)).toEqual(spell({ method: 'HEAD', path: '/_ping' }));
  });

  it.each(['/more/json', '/', '/../secrets', '%2F', '\n', '~', '?x=/_ping'])(
    'allows no path that continues with %j',
    (end) => {
      const longer = reads.flatMap((path) => spell({ method: 'GET', path: `${path}${end}` }));
      expect(longer.filter(allows)).toEqual([]);
    },
  );

  it.each(['/x', '/v1.51/v1.51', '/v1x51', '/v2.1', '/v1.511', '/v1.', 'http://engine', '/secrets/..'])(
    'allows no path that begins with %s',
    (start) => {
      expect(reads.map((path) => ({ method: 'GET', path: `${start}${path}` })).filter(allows)).toEqual([]);
    },
  );

  it.each([
    '/containers/../secrets/json',
    '/containers/./json',
    '/containers//json',
    '/nodes/..',
    '/nodes/a/b',
    '/nodes/',
  ])('allows no %s', (path) => expect(allows({ method: 'GET', path })).toBe(false));
});

describe.each([
  ['staging', 'compose.staging.yml'],
  ['production', 'compose.production.yml'],
  ['a host of previews', 'docker/traefik/compose.yml'],
])('the edge of %s', (_name, path) => {
  it('is that of docker/traefik/edge.yml, and adds no allow list', () => {
    const proxy = read(path).services['socket-proxy'];
    expect(proxy).toEqual({ extends: { file: expect.stringMatching(/edge\.yml$/), service: 'socket-proxy' } });
  });
});

describe('the replacement in the suites', () => {
  it('has the same intervals, timeouts and retries as Traefik', () => {
    expect(haproxy).toContain(`option httpchk GET ${check('path')}`);
    expect(haproxy).toContain(`inter ${check('interval')} `);
    expect(haproxy).toContain(`timeout check ${check('timeout')}`);
    expect(haproxy).toContain(`retries ${Number(labels['traefik.http.middlewares.retry.retry.attempts']) - 1}\n`);
    expect(haproxy).toContain('retry-on conn-failure\n');
  });

  it('looks members up each second, like the provider', () => {
    expect(haproxy).toContain(
      `hold valid ${swarm.services['traefik']?.environment?.['TRAEFIK_PROVIDERS_SWARM_REFRESHSECONDS']}s`,
    );
  });
});

interface ComposeFile {
  readonly 'x-labels'?: readonly string[];
  readonly services: Readonly<
    Record<
      string,
      {
        environment?: Record<string, string>;
        labels?: readonly string[];
        command?: readonly string[];
        deploy?: { endpoint_mode?: string };
      }
    >
  >;
}

function read(path: string): ComposeFile {
  return parse(readText(path), { logLevel: 'silent' }) as ComposeFile;
}

/** The rules of the proxy, each anchored at both ends of the path, by a group or by `^` and `$` alone. */
function parseAllowList(path: string): { method: string; test: (path: string) => boolean }[] {
  return (read(path).services['socket-proxy']?.command ?? []).flatMap((flag) => {
    const [, method, expression] = /^-allow([A-Z]+)=(.+)$/.exec(flag) ?? [];
    if (method === undefined || expression === undefined) return [];
    const anchored = [new RegExp(`^(?:${expression})$`), new RegExp(`^${expression}$`)];
    return [{ method, test: (text: string) => anchored.some((one) => one.test(text)) }];
  });
}

function check(name: string): string {
  return labels[`traefik.http.services.api.loadbalancer.healthcheck.${name}`] ?? '';
}

/** By name, without the project prefix of each name. */
function toLabels(lines: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    lines
      .map((line) => line.replaceAll('-${COMPOSE_PROJECT_NAME}', ''))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

function toMs(text: string): number {
  const [, amount, unit = ''] = /^(\d+)(ms|s|m)$/.exec(text) ?? [];
  return Number(amount) * ({ ms: 1, s: SECOND, m: 60 * SECOND }[unit] ?? NaN);
}
