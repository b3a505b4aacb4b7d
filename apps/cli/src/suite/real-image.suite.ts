import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findFreePort } from '@airlock/config/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { execute, type RunResult } from '@airlock/deploy/testing';
import { probedResource } from '@airlock/model/probed-resource';
import { openLab, runAirlock, startAirlock, type Lab } from './lab.js';
import { LIGHT_PAUSE_MS, startLoad, type Load } from './load.js';
import { report } from './suite-report.js';
import { docker, isQuick, readRun, removeStack, waitFor, WORKSPACE } from './run.js';

// The image of docker/api.Dockerfile in the overlays of staging, on a real PostgreSQL and a real Redis.
const ISSUER = 'https://issuer.example.com';
const PARTY = 'https://app.example.com';
const LEAST_REQUESTS = isQuick ? 2_000 : 10_000;

let lab: Lab;
let stack: string;
let port: number;
let options: string[];
let token: string;
const loads: Load[] = [];

beforeAll(async () => {
  lab = await openLab();
  stack = `${lab.prefix}-real`;
  port = await findFreePort();
  token = await createIssuer();
  await createSecrets();
  options = ['--stack', stack, '--url', `http://127.0.0.1:${port}`, '--journal', join(lab.folder, 'real.jsonl')];
});
afterEach(async () => {
  await Promise.all(loads.splice(0).map((load) => load.finish()));
});
afterAll(async () => {
  await removeStack(stack);
  await lab.close();
});

// The tests depend on each other, in this order.
describe('the real image in the overlays of staging', () => {
  it('is deployed for the first time: provisioned, migrated, canary, smoke-tested', async () => {
    const result = await deploy(await build());
    expect(result.stderr).toContain('provision roles, database and stamp');
    expect(result.stderr).toContain('12 of 12 checks passed');
    expect(result.status).toBe(0);
    expect((await count()).rows).toBe(0);
  });

  it('has no way out of its networks, for TCP and for datagrams, but the proxy has', async () => {
    for (const service of ['api', 'worker'])
      expect(await connectFrom(service)).toEqual({ socket: 'ENETUNREACH', datagram: 'ENETUNREACH' });
    expect(await connectFrom('outbound')).toEqual({ socket: 'ECONNREFUSED', datagram: 'sent' });
  });

  it('is updated under load without a request lost or sent twice (T1), also from a database of an older version', async () => {
    // As provisioned before there was this table; it cannot be dropped.
    await askDatabase('ALTER TABLE ops.system_uses RENAME TO system_uses_before');
    const image = await build();
    const load = begin('t1');
    const result = await deploy(image);
    expect(result.stderr).toContain('provision what this version needs and the database lacks');
    const figures = await load.finish(LEAST_REQUESTS);
    const rows = await count();
    await report('T1 real image, GET and POST of a resource', figures, { twice: rows.rows - rows.distinct });
    if (result.status !== 0) process.stderr.write(result.stderr);
    expect(result).toMatchObject({ status: 0 });
    expect(figures.failures).toEqual({});
    expect(rows).toEqual({ rows: figures.posts, distinct: figures.posts });
  });

  it('survives a restart of the database in the middle of a deploy', async () => {
    const image = await build();
    const load = begin('restart');
    const deploying = startAirlock(await words(image));
    await waitFor('the rollout', () => Promise.resolve(deploying.output().includes('roll out')), 180_000);
    const killed = performance.now();
    await docker.run(['kill', '--signal', 'KILL', await container('postgres')]);
    const exit = await deploying.ended;
    const figures = await load.finish();
    const deployTookS = Math.round((performance.now() - killed) / 1_000);
    await report('database killed during a deploy', figures, { exit, deployTookS });
    if (exit !== 0) process.stderr.write(deploying.output());
    // Whether the deploy succeeded or not, the digest that it reports serves with all replicas.
    const status = await runAirlock(['status', 'staging', '--stack', stack, '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({ ok: true, lock: null });
    expect([0, 4]).toContain(exit);
    expect(await status200('/readyz')).toBe(true);
    // Requests failed only because the database was unavailable: no replica exited, and no response was cut off.
    expect(await failedReplicas()).toEqual([]);
    expect(Object.keys(figures.failures).filter((problem) => !/ 503$/.test(problem))).toEqual([]);
  });
});

function begin(prefix: string): Load {
  const load = startLoad(port, {
    prefix,
    getPath: `${probedResource.path}?limit=1`,
    postPath: probedResource.path,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    createBody: (id) => JSON.stringify(probedResource.create(id)),
    // The API sheds load on a busy machine, as it should, so only a machine with time to spare shows what a deploy loses.
    pauseMs: LIGHT_PAUSE_MS,
  });
  loads.push(load);
  return load;
}

async function deploy(image: string): Promise<RunResult> {
  return runAirlock(await words(image));
}

async function words(image: string): Promise<string[]> {
  const env = await lab.writeEnv({
    API_DOMAIN: 'api.example.com',
    ACME_EMAIL: 'ops@example.com',
    AUTH_ISSUER: ISSUER,
    AUTH_JWKS_URL: `${ISSUER}/jwks.json`,
    AUTH_AUTHORIZED_PARTIES: PARTY,
    POSTGRES_IMAGE: 'postgres:18-trixie',
    REDIS_IMAGE: 'redis:8-trixie',
    // Not started here, but the overlays require them.
    TRAEFIK_IMAGE: 'traefik:none',
    SOCKET_PROXY_IMAGE: 'socket-proxy:none',
    DOCKER_GID: '0',
    SUITE_PROXY_IMAGE: readRun().proxyImage,
    SUITE_PORT: String(port),
    SUITE_WORKSPACE: WORKSPACE.replace(/\/$/, ''),
    SUITE_FOLDER: lab.folder,
  });
  const overlays = [
    'compose.yml',
    'compose.staging.yml',
    'docker/swarm.yml',
    'apps/cli/src/suite/compose.real.suite.yml',
  ];
  const files = overlays.flatMap((file) => ['--file', join(WORKSPACE, file)]);
  return ['deploy', 'staging', image, ...options, ...files, '--env-file', env];
}

async function build(): Promise<string> {
  const commit = randomBytes(20).toString('hex');
  const args = ['--build-arg', `GIT_COMMIT=${commit}`, '--file', join(WORKSPACE, 'docker/api.Dockerfile')];
  return lab.push(['--target', 'production', ...args, WORKSPACE]);
}

async function createIssuer(): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'suite', alg: 'ES256', use: 'sig' };
  await writeFile(join(lab.folder, 'jwks.json'), JSON.stringify({ keys: [jwk] }));
  const names = ['-subj', '/CN=issuer.example.com', '-addext', 'subjectAltName=DNS:issuer.example.com'];
  const files = ['-keyout', join(lab.folder, 'issuer.key'), '-out', join(lab.folder, 'issuer.pem')];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  expect(await execute('openssl', ['req', ...kind, ...names, ...files])).toMatchObject({ status: 0 });
  return new SignJWT({ azp: PARTY })
    .setProtectedHeader({ alg: 'ES256', kid: 'suite' })
    .setIssuer(ISSUER)
    .setSubject('user_suite')
    .setIssuedAt()
    .setExpirationTime('2h')
    .sign(privateKey);
}

async function createSecrets(): Promise<void> {
  const [admin, migrator, app, redis, key] = Array.from({ length: 5 }, () => randomBytes(24).toString('hex'));
  const values = {
    postgres_password: admin,
    database_admin_url: `postgres://postgres:${admin}@postgres:5432/postgres`,
    database_migration_url: `postgres://airlock_migrator:${migrator}@postgres:5432/airlock_staging`,
    database_url: `postgres://airlock_app:${app}@postgres:5432/airlock_staging`,
    redis_acl: `user default on >${redis} ~* &* +@all\n`,
    redis_url: `redis://:${redis}@redis:6379/0`,
    secret_key: key,
  };
  for (const [name, value] of Object.entries(values)) {
    const put = await runAirlock(['secret', 'put', 'staging', name, '--stack', stack], { input: value });
    expect(put).toMatchObject({ status: 0 });
  }
}

async function count(): Promise<{ rows: number; distinct: number }> {
  const text = await askDatabase(
    `SELECT count(*), count(DISTINCT ${probedResource.distinct}) FROM ${probedResource.table}`,
  );
  const [rows, distinct] = text.trim().split('|').map(Number);
  return { rows: rows ?? -1, distinct: distinct ?? -1 };
}

/** Runs one statement as the administrator. */
async function askDatabase(sql: string): Promise<string> {
  const psql = [
    'psql',
    '--username',
    'postgres',
    '--dbname',
    'airlock_staging',
    '--tuples-only',
    '--no-align',
    '--command',
    sql,
  ];
  return docker.run(['exec', await container('postgres'), ...psql]);
}

async function container(service: string): Promise<string> {
  const label = `label=com.docker.swarm.service.name=${stack}_${service}`;
  return (await docker.run(['ps', '--quiet', '--filter', label])).trim().split('\n')[0] ?? '';
}

/** Sends to an address of this machine at which nothing listens, past the guard of the service's own process. */
async function connectFrom(service: string): Promise<object> {
  const [bridge] = JSON.parse(await docker.run(['network', 'inspect', 'bridge'])) as [Bridge];
  const host = bridge.IPAM.Config[0].Gateway;
  const script = `
    const ended = (emitter, done) => new Promise((resolve) => emitter.on('error', ({ code }) => resolve(code)).on(done, () => resolve(done)));
    const datagram = require('node:dgram').createSocket('udp4');
    const sent = ended(datagram, 'sent');
    datagram.send('planted', 9, '${host}', (error) => datagram.emit(error ? 'error' : 'sent', error));
    const socket = ended(require('node:net').connect(9, '${host}'), 'connect');
    Promise.all([socket, sent]).then(([socket, datagram]) => console.log(JSON.stringify({ socket, datagram })) || process.exit());`;
  return JSON.parse(await docker.run(['exec', await container(service), 'node', '-e', script])) as object;
}

interface Bridge {
  readonly IPAM: { readonly Config: readonly [{ readonly Gateway: string }] };
}

/** Swarm's errors for replicas that exited unexpectedly. */
async function failedReplicas(): Promise<string[]> {
  const format = ['--no-trunc', '--format', '{{.Error}}'];
  const errors = await docker.run(['service', 'ps', ...format, `${stack}_api`]);
  return errors.split('\n').filter((error) => error !== '');
}

async function status200(path: string): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).ok;
}
