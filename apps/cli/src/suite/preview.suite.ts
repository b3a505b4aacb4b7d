import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { findFreePort } from '@airlock/config/testing';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { engineVariables } from '@airlock/deploy/testing';
import { askEdge, createEdgeCertificate, describeEdge, PREVIEW_DOMAIN, type EdgeCertificate } from './edge.js';
import { HERE, openLab, runAirlock, type Lab } from './lab.js';
import { docker, WORKSPACE } from './run.js';

let lab: Lab;
let prefix: string;
let edge: string;
let envFile: string;
let port: number;
let certificate: EdgeCertificate;

// The tests follow one preview, in order.
describeEdge('a preview behind the real edge of its host (T20)', () => {
  let first: string;

  beforeAll(async () => {
    lab = await openLab();
    prefix = `${lab.prefix}-preview-${randomBytes(2).toString('hex')}`;
    edge = `${prefix}_edge`;
    port = await findFreePort();
    certificate = await createEdgeCertificate();
    // docker/hosted.yml requires these variables; this overlay replaces them.
    const names = ['AUTH_ISSUER', 'AUTH_JWKS_URL', 'AUTH_AUTHORIZED_PARTIES', 'POSTGRES_IMAGE'];
    const unused = Object.fromEntries(names.map((name) => [name, 'unused']));
    envFile = await lab.writeEnv({ SUITE_EDGE: edge, SUITE_LEDGER_IMAGE: await lab.build(), ...unused });
    await composeEdge('up', '--detach', '--wait');
  });
  afterAll(async () => {
    for (const number of [41, 42, 43]) await preview('down', String(number));
    await composeEdge('down', '--volumes');
    await lab.close();
  });

  it('starts with its own route, database and secrets', async () => {
    first = await lab.build();
    const up = await up42(first, '--json');
    expect(up).toMatchObject({ status: 0 });
    expect(JSON.parse(up.stdout)).toMatchObject({
      ok: true,
      env: 'preview',
      url: `https://pr-42.${PREVIEW_DOMAIN}:${port}`,
    });
    const response = await askPreview(42);
    expect([response.status, digestIn(response.body)]).toEqual([200, digestOf(first)]);
    expect(response.headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains');
    expect(await secretKey()).toMatch(/^[0-9a-f]{64}$/);
  });

  it('keeps its database and secrets when a new image is deployed', async () => {
    const before = { key: await secretKey(), ledger: await inspect('ledger', '{{.Id}}') };
    const second = await lab.build();
    expect(await up42(second)).toMatchObject({ status: 0 });
    expect(digestIn((await askPreview(42)).body)).toBe(digestOf(second));
    expect({ key: await secretKey(), ledger: await inspect('ledger', '{{.Id}}') }).toEqual(before);
  });

  it('shares no secret with another preview', async () => {
    const result = await up('43', first);
    expect(result).toMatchObject({ status: 0 });
    expect(await secretKey(43)).not.toBe(await secretKey(42));
    expect(digestIn((await askPreview(43)).body)).toBe(digestOf(first));
  });

  it('fails and names the edge while the edge does not listen', async () => {
    await composeEdge('stop', 'traefik');
    const result = await up('43', first, '--edge-timeout', '3s');
    await composeEdge('up', '--detach', '--wait');
    expect(result.stderr).toContain(
      `edge: the replica is ready, but https://pr-43.${PREVIEW_DOMAIN}:${port} is not: no response (ECONNREFUSED)`,
    );
    expect(result.stderr).toContain(`docker compose --project-name ${prefix} logs traefik socket-proxy`);
    expect(result.status).toBe(5);
  });

  it('fails and names the edge while the edge finds no container', async () => {
    await composeEdge('--file', join(HERE, 'compose.edge-preview-blind.suite.yml'), 'up', '--detach', '--wait');
    await composeEdge('restart', 'traefik');
    const result = await up('43', first, '--edge-timeout', '5s');
    await composeEdge('up', '--detach', '--wait');
    expect(result.stderr).toContain('edge: the replica is ready, but');
    expect(result.stderr).toContain('/readyz returns 404');
    expect(result.status).toBe(5);
  });

  it('is listed with its expiry time', async () => {
    const { stdout } = await preview('list', '--json');
    const listed = JSON.parse(stdout) as { number: number; expires: string }[];
    expect(listed.map(({ number }) => number)).toEqual([42, 43]);
    expect(new Date(listed[0]?.expires ?? 0).getTime()).toBeGreaterThan(Date.now());
  });

  it('leaves nothing behind when it is removed', async () => {
    expect(await preview('down', '42')).toMatchObject({ status: 0 });
    expect(await leftovers(42)).toEqual([]);
    expect(await leftovers(43)).not.toEqual([]);
  });

  it('is reaped if its pull request is closed, and an open one is not', async () => {
    expect(await up('41', first)).toMatchObject({ status: 0 });
    const { stdout } = await preview('reap', '--open', '41', '--json');
    expect((JSON.parse(stdout) as { reaped: { number: number }[] }).reaped.map(({ number }) => number)).toEqual([43]);
    expect(await leftovers(43)).toEqual([]);
    expect(await leftovers(41)).not.toEqual([]);
  });

  it('is reaped after its lifetime, even if its pull request is open', async () => {
    expect(await up('41', first, '--lifetime', '0s')).toMatchObject({ status: 0 });
    expect(await preview('reap', '--open', '41')).toMatchObject({ status: 0 });
    expect(await leftovers(41)).toEqual([]);
  });

  it('is found by the reaper even if it failed to start', async () => {
    const broken = await up('41', await lab.build({ fault: 'exits' }), '--lifetime', '0s');
    expect(broken.status).toBeGreaterThan(0);
    expect(await preview('reap')).toMatchObject({ status: 0 });
    expect(await leftovers(41)).toEqual([]);
  });

  it('is refused before it starts if its overlay is not isolated', async () => {
    const result = await up('41', first, '--edge', 'airlock-production_backend');
    expect(result.status).toBe(3);
    expect(result.stderr).toContain('networks.edge: is');
  });
});

function preview(word: string, ...words: string[]) {
  return runAirlock(['preview', word, ...words, '--prefix', prefix]);
}

function up(number: string, image: string, ...words: string[]) {
  const files = ['--file', join(HERE, 'compose.preview.suite.yml'), '--env-file', envFile];
  const domain = `${PREVIEW_DOMAIN}:${port}`;
  return preview('up', number, image, '--domain', domain, '--edge', edge, ...files, ...words);
}

/** The edge of a preview host: docker/traefik/compose.yml with a port and a certificate of this run. */
async function composeEdge(...words: string[]): Promise<void> {
  const files = [join(WORKSPACE, 'docker/traefik/compose.yml'), join(HERE, 'compose.edge-preview.suite.yml')];
  const more = words[0] === '--file' ? words.splice(0, 2) : [];
  const options = ['--project-name', prefix, ...files.flatMap((file) => ['--file', file]), ...more];
  const env = { ...engineVariables(), ...certificate.variables, SUITE_PORT: String(port) };
  await docker.run(['compose', ...options, ...words], { env, timeoutMs: 120_000 });
}

const askPreview = (number: number) =>
  askEdge({ port, ca: certificate.pem }, '/version', `pr-${number}.${PREVIEW_DOMAIN}`);
const digestIn = (body: string) => (JSON.parse(body) as { digest: string }).digest;
const digestOf = (image: string) => image.split('@')[1];

function up42(image: string, ...words: string[]) {
  return up('42', image, ...words);
}

async function inspect(service: string, format: string, number = 42): Promise<string> {
  return (await docker.run(['inspect', '--format', format, `${prefix}-${number}-${service}-1`])).trim();
}

async function secretKey(number = 42): Promise<string> {
  return (await docker.run(['exec', `${prefix}-${number}-api-1`, 'cat', '/run/secrets/secret_key'])).trim();
}

/** Everything on the engine with its name or its label. */
async function leftovers(number: number): Promise<string[]> {
  const project = `${prefix}-${number}`;
  const lists = await Promise.all([
    docker.run(['ps', '--all', '--format', '{{.Names}}']),
    docker.run(['network', 'ls', '--format', '{{.Name}}']),
    docker.run(['volume', 'ls', '--format', '{{.Name}}']),
    docker.run(['volume', 'ls', '--quiet', '--filter', `label=com.docker.compose.project=${project}`]),
  ]);
  return lists
    .flatMap((text) => text.split('\n'))
    .filter((name) => name.startsWith(`${project}-`) || name.startsWith(`${project}_`));
}
