import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { readText } from './repository.js';

// The proxy in front of the API, and the stand-in of the suites, whose numbers must agree with those of the service.
const SECOND = 1_000;
const swarm = read('docker/swarm.yml');
const traefik = read('docker/traefik/edge.yml').services['traefik']?.environment ?? {};
const traefikInSwarm = { ...traefik, ...swarm.services['traefik']?.environment };
const labels = toLabels(swarm['x-labels']);
const haproxy = readText('docker/haproxy/haproxy.cfg').replace(/#.*$/gm, '');

/** What docs/configuration.md, which is generated from the schema, says for preview, staging and production. */
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

  it.each([
    ['GET', '/v1.51/services', true],
    ['GET', '/v1.44/tasks', true],
    ['GET', '/v1.44/networks', true],
    ['GET', '/_ping', true],
    ['HEAD', '/_ping', true],
    ['GET', '/v1.51/secrets', false],
    ['GET', '/v1.51/configs', false],
    ['GET', '/v1.51/services/airlock-staging_api/logs', false],
    ['GET', '/v1.51/containers/json', false],
    ['POST', '/v1.51/services/create', false],
    ['DELETE', '/v1.51/services/airlock-staging_api', false],
  ])('is let through by the socket proxy with %s %s: %s', (method, path, isAllowed) => {
    const rules = (swarm.services['socket-proxy']?.command ?? []).map((word) => /^-allow([A-Z]+)=(.+)$/.exec(word));
    const matching = rules.filter((rule) => rule?.[1] === method && new RegExp(`^${rule[2]}$`).test(path));
    expect(matching.length > 0).toBe(isAllowed);
  });

  it('shows no page of its own, and asks for trusted certificates in production alone', () => {
    expect(traefik['TRAEFIK_API']).toBe('false');
    const authority = 'TRAEFIK_CERTIFICATESRESOLVERS_LETSENCRYPT_ACME_CASERVER';
    expect(traefik[authority]).toContain('acme-staging');
    const others = ['docker/swarm.yml', 'docker/traefik/compose.yml', 'compose.staging.yml', 'compose.preview.yml'];
    for (const path of others) expect(readText(path)).not.toContain(authority);
    expect(readText('compose.production.yml')).toContain(
      `${authority}: https://acme-v02.api.letsencrypt.org/directory`,
    );
  });

  it('applies every middleware that it has: HSTS, a rate limit, and another try where nothing was sent', () => {
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

  it('waits longer than a request may take, and lets go of idle connections before the API does', () => {
    const readMs = toMs(traefik['TRAEFIK_ENTRYPOINTS_WEBSECURE_TRANSPORT_RESPONDINGTIMEOUTS_READTIMEOUT'] ?? '');
    const idleMs = toMs(traefik['TRAEFIK_SERVERSTRANSPORT_FORWARDINGTIMEOUTS_IDLECONNTIMEOUT'] ?? '');
    const keepAliveS = Number(
      /KEEP_ALIVE_MS = (\d+) \* SECOND/.exec(readText('apps/api/src/http/create-adapter.ts'))?.[1],
    );
    expect(configured('REQUEST_TIMEOUT')).toHaveLength(3);
    for (const requestMs of configured('REQUEST_TIMEOUT')) expect(readMs).toBeGreaterThan(requestMs);
    expect(idleMs).toBeLessThan(keepAliveS * SECOND);
  });
});

describe('the stand-in of the suites', () => {
  it('asks as often, waits as long and tries as often as Traefik does', () => {
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

function check(name: string): string {
  return labels[`traefik.http.services.api.loadbalancer.healthcheck.${name}`] ?? '';
}

/** By name, without the project that each name carries. */
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
