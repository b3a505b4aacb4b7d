import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

const WORKSPACE = resolve(import.meta.dirname, '../../../..');
const DIGEST = `sha256:${'a'.repeat(64)}`;
const EARLIER = `sha256:${'b'.repeat(64)}`;
const IMAGE = `ghcr.io/example/airlock/api@${DIGEST}`;

let folder: string;
let url: string;
/** A service that is ready and returns its digest, but nothing else, so that the smoke suite fails. */
const server = createServer((request, response) => {
  void readFile(join(folder, 'serves'), 'utf8').then((digest) => {
    response.statusCode = /^\/(?:version|readyz)$/.test(request.url ?? '') && digest ? 200 : 503;
    response.end(JSON.stringify({ name: 'airlock-api', digest }));
  });
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airlock-hosted-'));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((done) => server.close(done));
  await rm(folder, { recursive: true });
});
beforeEach(() => writeFile(join(folder, 'serves'), EARLIER));

describe('airlock deploy --target fly', () => {
  it('exits with 4 when the platform refuses and the previous digest still serves', async () => {
    await fakeFly('exit 1');
    const { status, stdout, stderr } = await deploy();
    expect(status).toBe(4);
    expect(JSON.parse(stdout)).toEqual({
      target: 'fly',
      env: 'staging',
      digest: DIGEST,
      previousDigest: EARLIER,
      url,
      ok: false,
      exitCode: 4,
      reason: expect.stringContaining('the previous digest sha256:') as unknown,
    });
    expect(stderr).toContain('the previous digest sha256:');
  });

  it('exits with 5 when neither release responds', async () => {
    await fakeFly(`: >${folder}/serves; exit 1`);
    const { status, stderr } = await deploy();
    expect(status).toBe(5);
    expect(stderr).toContain(`fly: ${DIGEST} does not serve ${url}; /version returns no digest`);
  });

  it('exits with 4 when the smoke suite fails, and deploys the previous digest again', async () => {
    await fakeFly(`last=\${!#}; printf %s "\${last#IMAGE_DIGEST=}" >${folder}/serves`);
    const { status, stdout, stderr } = await deploy();
    expect({ status, ok: (JSON.parse(stdout) as { ok: boolean }).ok }).toEqual({ status: 4, ok: false });
    expect(stderr).toContain(`rolled back: ${EARLIER} serves`);
    expect(await readFile(join(folder, 'serves'), 'utf8')).toBe(EARLIER);
  });

  it('exits with 5 when the smoke suite fails and nothing served before', async () => {
    await writeFile(join(folder, 'serves'), '');
    await fakeFly(`last=\${!#}; printf %s "\${last#IMAGE_DIGEST=}" >${folder}/serves`);
    const { status, stdout, stderr } = await deploy();
    expect(status).toBe(5);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, previousDigest: null, exitCode: 5 });
    expect(stderr).toContain(`not rolled back: ${DIGEST} still serves; deploy a working digest`);
  });

  it('exits with 5 when the smoke suite fails on the previous digest, because no other digest exists to roll back to', async () => {
    await writeFile(join(folder, 'serves'), DIGEST);
    await fakeFly(
      `last=\${!#}; printf %s "\${last#IMAGE_DIGEST=}" >${folder}/serves; echo deployed >>${folder}/deploys`,
    );
    const { status, stderr } = await deploy();
    expect(status).toBe(5);
    expect(stderr).toContain(`not rolled back: ${DIGEST} still serves; deploy a working digest`);
    expect(await readFile(join(folder, 'deploys'), 'utf8')).toBe('deployed\n');
  });

  it.each([
    ['without an address', ['--option', 'app=a'], '--url: "" is not an origin'],
    [
      'with an option without a value',
      ['--url', 'https://x.example.com', '--option', 'app'],
      '--option: "app" is not a pair',
    ],
    ['without a required option of Fly', ['--url', 'https://x.example.com'], '--option app: is missing'],
  ])('refuses to start %s, with exit code 2', async (_case, options, problem) => {
    const { status, stderr } = await runCommand(['deploy', 'staging', IMAGE, '--target', 'fly', ...options]);
    expect(status).toBe(2);
    expect(stderr).toContain(problem);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

const deploy = () =>
  runCommand([
    'deploy',
    'staging',
    IMAGE,
    '--target',
    'fly',
    '--url',
    url,
    '--option',
    'app=a',
    '--timeout',
    '2s',
    '--json',
  ]);

function runCommand(words: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const env = { PATH: `${folder}:${join(WORKSPACE, 'node_modules/.bin')}:/usr/local/bin:/usr/bin:/bin` };
  return new Promise((done) => {
    execFile('airlock', words, { cwd: WORKSPACE, env }, (error, stdout, stderr) => {
      done({ status: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

async function fakeFly(does: string): Promise<void> {
  await writeFile(join(folder, 'flyctl'), `#!/bin/bash\n${does}\n`);
  await chmod(join(folder, 'flyctl'), 0o755);
}
