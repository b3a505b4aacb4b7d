import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { probedResource } from '@airlock/model/probed-resource';
import { runChecks } from './run-checks.js';

const { path, plural } = probedResource;
const WORKSPACE = resolve(import.meta.dirname, '../../../..');

interface Canned {
  status: number;
  body: Record<string, unknown>;
  headers: Record<string, string>;
}

const digest = `sha256:${'a'.repeat(64)}`;
const commit = 'c0ffee'.repeat(6).slice(0, 40);
let server: Server;
let url: string;
let answers: Record<string, Canned>;
let methods: Set<string>;

beforeEach(async () => {
  methods = new Set();
  answers = {
    '/healthz': ok({ status: 'ok' }),
    '/readyz': ok({ status: 'degraded' }),
    '/startupz': ok({ status: 'ok' }),
    '/version': ok({ commit: commit.slice(0, 7), digest }),
    [path]: problem(401),
  };
  server = createServer((request, response) => {
    methods.add(request.method ?? '');
    const { status, body, headers } = answers[request.url ?? ''] ?? problem(404);
    response.writeHead(status, headers).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('runChecks', () => {
  it('finds no problem in an API that keeps the contract', async () => {
    expect(await findFailures()).toEqual([]);
  });

  it('reads only', async () => {
    await findFailures();
    expect([...methods].sort()).toEqual(['GET', 'HEAD']);
  });

  it.each<[string, string, Canned, string]>([
    [
      'another image',
      '/version',
      ok({ commit, digest: 'sha256:old' }),
      '/version returns the digest of the deployed image',
    ],
    [
      'another commit',
      '/version',
      ok({ commit: 'deadbee', digest }),
      '/version returns the commit of the deployed image',
    ],
    ['an empty commit', '/version', ok({ commit: '', digest }), '/version returns the commit of the deployed image'],
    ['a public resource', path, ok({}), `${plural} are not shown without a token`],
    [
      'an error page in HTML',
      path,
      { ...problem(401), headers: { 'content-type': 'text/html' } },
      `${plural} are not shown without a token`,
    ],
    [
      'a dead database',
      '/readyz',
      { ...ok({ status: 'down' }), status: 503 },
      '/readyz returns 200, at worst degraded',
    ],
    [
      'cacheable health',
      '/healthz',
      { ...ok({ status: 'ok' }), headers: {} },
      'health routes support HEAD and are never cached',
    ],
    ['metrics in public', '/metrics', ok({}), 'detailed health and metrics are not reachable from outside'],
    [
      'its framework',
      path,
      { ...problem(401), headers: { ...problem(401).headers, 'x-powered-by': 'Nest' } },
      'no response reveals the software of the server',
    ],
  ])('finds %s', async (_what, path, answer, fact) => {
    answers[path] = answer;
    expect(await findFailures()).toContain(fact);
  });

  it('rejects documentation and console in production, and allows them in staging', async () => {
    answers['/api/v1/docs'] = ok({});
    expect(await findFailures('staging')).toEqual([]);
    expect(await findFailures('production')).toEqual(['documentation and console are off in production']);
  });
});

describe('the command', () => {
  const run = (...words: string[]) =>
    new Promise<{ status: number; stdout: string; stderr: string }>((done) => {
      const command = ['--import', './tools/typescript.mjs', 'apps/smoke/src/check/main.ts', ...words];
      execFile(process.execPath, command, { cwd: WORKSPACE }, (error, stdout, stderr) =>
        done({ status: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });

  it('requires only an address, and then runs the checks that apply to every environment', async () => {
    answers['/metrics'] = ok({});
    const { status, stdout } = await run('--url', url);
    expect(stdout).toContain('skipped  detailed health and metrics are not reachable from outside');
    expect(stdout).toMatch(/\n9 of 9 checks passed\n$/);
    expect(status).toBe(0);
  });

  it('exits with 1 if a check fails, as text and as JSON', async () => {
    answers['/metrics'] = ok({});
    const words = ['--url', url, '--environment', 'staging'];
    expect(await run(...words)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('9 of 10 checks passed') as unknown,
    });
    const json = await run(...words, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ url, environment: 'staging', ok: false });
    expect(json.status).toBe(1);
  });

  it.each([
    ['a text instead of an address', ['--url', 'api.example.com'], '--url: "api.example.com" is not an address'],
    [
      'an unknown environment',
      ['--url', 'https://x.example.com', '--environment', 'prod'],
      '--environment: "prod" is not',
    ],
    [
      'a text instead of seconds',
      ['--url', 'https://x.example.com', '--wait', 'long'],
      '--wait: "long" is not a number',
    ],
  ])('exits with 2 for %s', async (_what, words, problem) => {
    const { status, stderr } = await run(...words);
    expect(stderr).toContain(problem);
    expect(status).toBe(2);
  });
});

async function findFailures(environment: 'staging' | 'production' = 'staging'): Promise<string[]> {
  const verdicts = await runChecks({ url, environment, digest, commit }, 0);
  return verdicts.filter(({ outcome }) => outcome === 'failed').map(({ fact }) => fact);
}

function ok(body: Record<string, unknown>): Canned {
  return { status: 200, body, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } };
}

function problem(status: number): Canned {
  const headers = {
    'content-type': 'application/problem+json',
    'x-request-id': '0190a1b2-0000-7000-8000-000000000000',
    'x-content-type-options': 'nosniff',
  };
  return { status, body: { status }, headers };
}
