import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { attempt, cloneWorkspace, nameRun, removeClone, report, run } from './engine.fixture.js';
import { findInImage, readImageFacts } from './image-facts.js';
import { imageRules, type ImageFacts } from './image-rules.js';

const name = nameRun();
const image = `${name}:checked`;
const rebuild = `${name}:rebuilt`;
const base = 'node:24.21.0-trixie-slim';
const canary = `canary-${randomBytes(12).toString('hex')}`;
const commit = run('git', ['rev-parse', 'HEAD']);
const builtAt = run('git', ['show', '--no-patch', '--format=%cd', '--date=format-local:%Y-%m-%dT%H:%M:%SZ', 'HEAD']);
let clone: string;
let facts: ImageFacts;

beforeAll(() => {
  clone = cloneWorkspace();
  plantSecrets(clone);
  report('build from a clean clone', `${build(image).toFixed(1)} s`);
  report(
    'build again without cache',
    `${build(rebuild, '--no-cache-filter=dependencies,build,slim,production').toFixed(1)} s`,
  );
  facts = readImageFacts({ root: clone, image, rebuild, base, canary });
});

afterAll(() => {
  attempt('docker', ['image', 'rm', '--force', image, rebuild, `${name}:planted`], clone);
  removeClone(clone);
});

/** What developers have lying about, where a careless `COPY . .` would find it. */
function plantSecrets(root: string): void {
  const text = `SECRET=${canary}\n`;
  const places = [
    '.env',
    '.npmrc',
    'id_rsa',
    'server.key',
    'apps/api/.env',
    'apps/api/src/.env.local',
    'libs/config/tls.pem',
  ];
  for (const place of [
    ...places,
    '.airlock/state.json',
    'apps/api/dist/old.js',
    'apps/api/node_modules/mine/index.js',
  ]) {
    mkdirSync(join(root, place, '..'), { recursive: true });
    writeFileSync(join(root, place), text);
  }
}

function build(tag: string, ...options: string[]): number {
  const labels = { GIT_COMMIT: commit, BUILD_TIME: builtAt, VERSION: '0.1.0', SOURCE_DATE_EPOCH: '0' };
  const args = Object.entries(labels).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
  const command = ['build', '--quiet', ...options, '--file', 'docker/api.Dockerfile', '--tag', tag, ...args, '.'];
  const { status, output, seconds } = attempt('docker', command, clone, { SECRET_KEY: canary, NPM_TOKEN: canary });
  if (status !== 0) throw new Error(`docker build failed:\n${output}`);
  return seconds;
}

describe('the image', () => {
  it.each(imageRules)('keeps $id: $title', (rule) => {
    expect(rule.check(facts)).toEqual([]);
  });

  it('is little more than the Node image', () => {
    report('size over the base', `${(facts.sizeOverBaseBytes / 1e6).toFixed(1)} MB`);
    expect(facts.files.length).toBeGreaterThan(1000);
  });

  it('finds a secret that a layer holds, so that finding none means something', () => {
    const dockerfile = `FROM ${image}\nCOPY id_rsa /tmp/\n`;
    const tag = `${name}:planted`;
    run('sh', ['-c', 'printf "$1" | docker build --quiet --tag "$2" --file - "$3"', 'sh', dockerfile, tag, planted()]);
    expect(findInImage(tag, canary)).not.toEqual([]);
  });
});

/** A build context without our .dockerignore. */
function planted(): string {
  const folder = join(clone, '..', 'planted');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'id_rsa'), canary);
  return folder;
}

/** One way to break each rule. */
const spoils: Record<string, (good: ImageFacts) => Partial<ImageFacts>> = {
  D1: (good) => ({ dockerfile: good.dockerfile.replace('FROM ${NODE_IMAGE} AS slim', 'FROM node:latest AS slim') }),
  D2: () => ({ user: 'node' }),
  D3: () => ({ command: ['sh', '-c', 'npm start'] }),
  D4: (good) => ({ files: [...good.files, { path: 'usr/local/bin/npm', mode: 'lrwxrwxrwx', owner: '0/0' }] }),
  D5: (good) => ({ dockerfile: good.dockerfile.replace('npm ci --omit=dev', 'npm install') }),
  D6: () => ({ environment: { NPM_TOKEN: 'x' } }),
  D7: () => ({ dockerignore: 'node_modules\n.env\n' }),
  D8: (good) => ({ files: [...good.files, { path: 'app/package.json', mode: '-rw-rw-rw-', owner: '0/0' }] }),
  D9: (good) => ({ labels: { ...good.labels, 'org.opencontainers.image.revision': 'other' } }),
  D10: () => ({ healthcheck: ['CMD-SHELL', 'curl -f localhost:8000/healthz'] }),
  D11: (good) => ({ environment: { ...good.environment, NODE_ENV: 'production' } }),
  D12: (good) => ({ layersOfRebuild: good.layers.with(1, 'sha256:other') }),
  D13: () => ({ releaseWorkflow: 'sbom: false' }),
  size: () => ({ sizeOverBaseBytes: 60_000_001 }),
};

describe('a spoiled image', () => {
  it.each(imageRules)('breaks $id', (rule) => {
    expect(rule.check({ ...facts, ...spoils[rule.id]?.(facts) })).not.toEqual([]);
  });

  it('breaks D1 where a release was built on a tag', () => {
    const [rule] = imageRules;
    expect(rule?.check({ ...facts, isRelease: true })).toEqual([`built on ${base}, not on a digest`]);
  });
});

describe('a container of the image', () => {
  const contained = [
    'run',
    '--rm',
    '--read-only',
    '--cap-drop=ALL',
    '--network=none',
    '--tmpfs=/tmp',
    '--env=ENVIRONMENT=production',
  ];

  it('runs the release commands', () => {
    const { output, status } = attempt('docker', [...contained, image, 'airlock', '--help'], clone);
    expect([status, output]).toEqual([0, expect.stringContaining('keeps development, testing, preview, staging')]);
  });

  it('does not know the reset of a test database', () => {
    const { output, status } = attempt('docker', [...contained, image, 'airlock', 'db', 'reset-test'], clone);
    expect([status, output]).toEqual([3, expect.stringContaining('reset-test: is not part of this build')]);
    expect(facts.files.filter(({ path }) => /^app\/libs\/.*(reset|testing)/.test(path))).toEqual([]);
  });

  it('explains a missing configuration and exits 78', () => {
    const { output, status } = attempt('docker', [...contained, image], clone);
    expect([status, output]).toEqual([78, expect.stringMatching(/^DATABASE_URL: is not set/m)]);
  });

  it('has no more rights than any other process', () => {
    const status = run('docker', [...contained, '--security-opt=no-new-privileges', image, 'cat', '/proc/self/status']);
    expect(status).toMatch(/^Uid:\t10001\t/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  });
});
