import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  attempt,
  cloneWorkspace,
  findFreePorts,
  listTraces,
  nameRun,
  removeClone,
  report,
  run,
  waitFor,
} from './engine.fixture.js';
import { inspectImage } from './image-facts.js';
import { imageRules, type ImageFacts } from './image-rules.js';

/**
 * Staging as a host runs it: images by digest out of a registry, secrets as files, two replicas, nothing built. Traefik
 * and its proxy stay out, for their images are not needed to see the rest run; their part is judged on the model.
 */
const name = nameRun();
const folder = cloneWorkspace();
const secretsDir = join(folder, '../secrets');
/** A secret for each purpose: the configuration refuses two that are the same. */
const passwords = Object.fromEntries(
  ['app', 'migrator', 'admin', 'redis'].map((purpose) => [purpose, randomBytes(24).toString('hex')]),
);
const commit = run('git', ['rev-parse', 'HEAD']);
let registry: string;
let digest: string;

const staging = (...args: string[]) =>
  attempt('docker/compose', ['staging', ...args], folder, { AIRLOCK_PROJECT: `${name}-staging` });
const containers = () =>
  run('docker', ['ps', '--quiet', '--filter', `name=${name}-staging-api`])
    .split('\n')
    .filter(Boolean);

beforeAll(async () => {
  const [port = ''] = await findFreePorts(1);
  registry = `127.0.0.1:${port}`;
  run('docker', ['run', '--detach', '--name', `${name}-registry`, '--publish', `${registry}:5000`, 'registry:2']);
  await waitFor('the registry', async () => (await fetch(`http://${registry}/v2/`)).ok || undefined);
  writeSecrets();
  push('node:24.21.0-trixie-slim', 'postgres:18-trixie', 'redis:8-trixie');
  const pin = attempt('docker/pin-images', ['NODE_IMAGE', 'POSTGRES_IMAGE', 'REDIS_IMAGE'], folder, {
    REGISTRY: registry,
  });
  if (pin.status !== 0) throw new Error(pin.output);
  digest = buildRelease();
  writeSettings();
});

afterAll(() => {
  staging('down', '--volumes', '--remove-orphans');
  run('docker', ['rm', '--force', '--volumes', `${name}-registry`]);
  const images = run('docker', ['image', 'ls', '--format', '{{.ID}} {{.Repository}}']).split('\n');
  const ours = images.filter((line) => line.includes(registry)).map((line) => line.split(' ')[1] ?? '');
  for (const repository of new Set(ours)) {
    const tags = run('docker', ['image', 'ls', '--format', '{{.Repository}}:{{.Tag}}@{{.Digest}}', repository]).split(
      '\n',
    );
    for (const tag of tags)
      attempt(
        'docker',
        ['image', 'rm', tag.includes('<none>') ? tag.replace(':<none>', '') : tag.replace(/@.*/, '')],
        folder,
      );
  }
  removeClone(folder);
  const left = listTraces(name);
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
});

function push(...images: string[]): void {
  for (const image of images) {
    run('docker', ['tag', image, `${registry}/${image}`]);
    run('docker', ['push', '--quiet', `${registry}/${image}`]);
  }
}

/** As a release builds it: on the digest that docker/images.lock pins. Returns the digest of the image. */
function buildRelease(): string {
  const pinned = /^NODE_IMAGE=(.+)$/m.exec(readFileSync(join(folder, 'docker/images.lock'), 'utf8'))?.[1] ?? '';
  const image = `${registry}/airlock:${commit}`;
  const args = ['--build-arg', `NODE_IMAGE=${pinned}`, '--build-arg', `GIT_COMMIT=${commit}`];
  run('docker', ['build', '--quiet', '--file', 'docker/api.Dockerfile', '--tag', image, ...args, '.'], folder);
  run('docker', ['push', '--quiet', image]);
  return (
    /sha256:[0-9a-f]{64}/.exec(run('docker', ['image', 'inspect', '--format', '{{.RepoDigests}}', image]))?.[0] ?? ''
  );
}

function writeSecrets(): void {
  const { app, migrator, admin, redis } = passwords;
  const secrets = {
    database_url: `postgres://airlock_app:${app}@postgres:5432/airlock_staging`,
    database_migration_url: `postgres://airlock_migrator:${migrator}@postgres:5432/airlock_staging`,
    database_admin_url: `postgres://postgres:${admin}@postgres:5432/postgres`,
    postgres_password: admin,
    redis_url: `redis://:${redis}@redis:6379/0`,
    redis_acl: `user default on >${redis} ~* &* +@all`,
    secret_key: randomBytes(32).toString('hex'),
  };
  mkdirSync(secretsDir, { mode: 0o700 });
  for (const [file, text] of Object.entries(secrets)) {
    writeFileSync(join(secretsDir, file), `${text}\n`);
    chmodSync(join(secretsDir, file), 0o444);
  }
}

function writeSettings(): void {
  const example = readFileSync(join(folder, 'docker/settings/example.env'), 'utf8');
  const settings = { API_REPOSITORY: `${registry}/airlock`, IMAGE_DIGEST: digest, SECRETS_DIR: secretsDir };
  const text = Object.entries(settings).reduce(
    (all, [key, value]) => all.replace(new RegExp(`^${key}=.*$`, 'm'), `${key}=${value}`),
    example,
  );
  const edge = ['TRAEFIK_IMAGE', 'SOCKET_PROXY_IMAGE']
    .map((key) => `${key}=example@sha256:${'0'.repeat(64)}\n`)
    .join('');
  writeFileSync(join(folder, 'docker/settings/staging.env'), `${text}${edge}`);
}

describe('staging by Compose', () => {
  it('starts from digests and secret files', () => {
    const outcome = staging('up', '--wait', '--detach', 'api');
    report('docker/compose staging up, without the edge', `${outcome.seconds.toFixed(1)} s`);
    expect(outcome.status === 0 ? true : outcome.output + staging('logs', 'provision', 'migrate', 'api').output).toBe(
      true,
    );
  });

  it('runs two replicas that say what they are', () => {
    const print = 'fetch("http://127.0.0.1:8000/version").then((r) => r.text()).then(console.log)';
    const versions = containers().map((id) => JSON.parse(run('docker', ['exec', id, 'node', '-e', print])) as object);
    expect(versions).toEqual([
      expect.objectContaining({ commit, digest }),
      expect.objectContaining({ commit, digest }),
    ]);
  });

  it('has a database that says staging', () => {
    const ask = ['exec', '--no-TTY', 'postgres', 'psql', '--username=postgres', '--dbname=airlock_staging', '-XAtc'];
    expect(staging(...ask, 'SELECT environment FROM ops.environment').output.trim()).toBe('staging');
  });

  it('shows no secret to who inspects a container, and publishes no port', () => {
    const inspected = run('docker', ['inspect', ...containers()]);
    expect(Object.values(passwords).filter((password) => inspected.includes(password))).toEqual([]);
    expect(inspected).not.toContain('HostPort');
  });

  it('runs an image that is built on a digest', () => {
    const { Labels } = inspectImage(`${registry}/airlock:${commit}`).Config;
    const facts = { dockerfile: '', labels: Labels ?? {}, isRelease: true } as ImageFacts;
    expect(imageRules.find(({ id }) => id === 'D1')?.check(facts)).toEqual([]);
  });

  it('goes by its own command only, and takes no other file', () => {
    const refused = staging('-f', 'compose.override.yml', 'config');
    expect([refused.status, refused.output]).toEqual([
      64,
      'docker/compose: -f is chosen by the environment; expected it left out\n  docker/compose staging config\n',
    ]);
  });
});
