import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { attempt, buildImage, cloneWorkspace, nameRun, removeClone, report, run, waitFor } from './engine.fixture.js';
import { compareLayers, findInImage, readImageFacts } from './image-facts.js';
import { imageRules, type ImageFacts } from './image-rules.js';
import { readUnshipped } from './unshipped.fixture.js';

const name = nameRun();
const image = `${name}:checked`;
const rebuild = `${name}:rebuilt`;
const base = 'node:24.21.0-trixie-slim';
const canary = `canary-${randomBytes(12).toString('hex')}`;
const commit = run('git', ['rev-parse', 'HEAD']);
const builtAt = run('git', ['show', '--no-patch', '--format=%cd', '--date=format-local:%Y-%m-%dT%H:%M:%SZ', 'HEAD']);
/** One clone with secret files in the checkout, and one whose files other users cannot read. */
let clone: string;
let otherClone: string;
let facts: ImageFacts;

beforeAll(() => {
  clone = cloneWorkspace();
  plantSecrets(clone);
  otherClone = cloneWorkspace('077');
  report('build from a clean clone', `${build(clone, image).toFixed(1)} s`);
  const again = build(otherClone, rebuild, '--no-cache-filter=lock,dependencies,build,slim,production');
  report('build again from another clone, without cache', `${again.toFixed(1)} s`);
  facts = readImageFacts({ root: clone, image, rebuild, base, canary });
});

afterAll(() => {
  attempt('docker', ['image', 'rm', '--force', image, rebuild, `${name}:planted`], clone);
  removeClone(clone);
  removeClone(otherClone);
});

/** Files of developers that a careless `COPY . .` would copy. */
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

/** Builds with secrets that a build server has in its environment and could pass by mistake. */
function build(folder: string, tag: string, ...options: string[]): number {
  const labels = { GIT_COMMIT: commit, BUILD_TIME: builtAt, VERSION: '0.1.0', SOURCE_DATE_EPOCH: '0' };
  const named = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const args = [...named, `NPM_TOKEN=${canary}`, 'SECRET_KEY'].flatMap((argument) => ['--build-arg', argument]);
  return buildImage([...options, '--tag', tag, ...args], folder, { SECRET_KEY: canary, DATABASE_URL: canary }).seconds;
}

describe('the image', () => {
  it.each(imageRules)('keeps rule $id: $title', (rule) => {
    expect(rule.check(facts)).toEqual([]);
  });

  it('is only a little larger than the Node image', () => {
    report('size over the base', `${(facts.sizeOverBaseBytes / 1e6).toFixed(1)} MB`);
    expect(facts.files.length).toBeGreaterThan(1000);
  });

  it.each([
    ['another byte', 'printf b >"$1/file"'],
    ['another mode', 'chmod 600 "$1/file"'],
    ['one more entry', 'mkdir "$1/more"'],
  ])('differs from one with %s in a layer', (_, change) => {
    const folder = join(clone, '..', randomBytes(3).toString('hex'));
    const build = (tag: string) => {
      run('sh', [
        '-c',
        'printf "FROM scratch\nCOPY . /app/\n" | docker build --quiet --tag "$1" --file - "$2"',
        'sh',
        tag,
        folder,
      ]);
      return tag;
    };
    run('sh', [
      '-c',
      'mkdir "$1" && printf a >"$1/file" && chmod 644 "$1/file" && touch -d 2026-01-01 "$1/file"',
      'sh',
      folder,
    ]);
    const [one, same] = [build(`${name}:planted`), build(`${name}:planted`)];
    expect(compareLayers(one, same)).toEqual([]);
    run('sh', ['-c', change, 'sh', folder]);
    expect(compareLayers(one, build(`${name}:other`))).not.toEqual([]);
    attempt('docker', ['image', 'rm', '--force', `${name}:other`], clone);
  });

  it('detects a secret in a layer, which proves that the check works', () => {
    const dockerfile = 'FROM scratch\nCOPY id_rsa /tmp/\n';
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
  D12: () => ({ differencesOfRebuild: ['layer 2: -rw-r--r-- 0/0 1 2026-01-01 00:00:00 app/main.js'] }),
  D13: () => ({ releaseWorkflow: 'sbom: false' }),
  size: () => ({ sizeOverBaseBytes: 120_000_001 }),
};

describe('a broken image', () => {
  it.each(imageRules)('breaks $id', (rule) => {
    expect(rule.check({ ...facts, ...spoils[rule.id]?.(facts) })).not.toEqual([]);
  });

  it('breaks D1 if a release was built on a tag', () => {
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
    expect([status, output]).toEqual([0, expect.stringContaining('configures, migrates and deploys development')]);
  });

  it('contains a server for restored backups', () => {
    const script =
      'initdb --pgdata=/tmp/data --no-sync && echo "SELECT version()" | postgres --single -D /tmp/data postgres';
    const { output, status } = attempt('docker', [...contained, image, 'sh', '-c', script], clone);
    expect([status, output]).toEqual([0, expect.stringMatching(/version = "PostgreSQL 18\./)]);
  });

  it('has no reset of a test database', () => {
    const { output, status } = attempt('docker', [...contained, image, 'airlock', 'db', 'reset-test'], clone);
    expect([status, output]).toEqual([3, expect.stringContaining('reset-test: is not part of this build')]);
  });

  it('contains no file or text of the tests, the reset, the token issuer and the development server', () => {
    const { folders, words } = readUnshipped(clone);
    expect(facts.files.filter(({ path }) => folders.some((folder) => path.startsWith(folder)))).toEqual([]);
    expect(words.length).toBeGreaterThan(500);
    // The last one ships: finding only that one proves that the search works.
    expect(findWords([...words, 'readPackageVersion'])).toEqual(['readPackageVersion']);
  });

  it('serves as any user, without privileges or writable files, and exits without an error', async () => {
    const issuer = { AUTH_ISSUER: 'https://auth.example.com', AUTH_AUTHORIZED_PARTIES: 'https://app.example.com' };
    const settings = {
      ENVIRONMENT: 'testing',
      DATABASE_URL: 'postgres://airlock_test_app:x@postgres:5432/airlock_test',
      AUTH_JWKS_URL: 'https://auth.example.com/keys',
      ...issuer,
    };
    const bare = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--network=none', '--init'];
    const env = Object.entries(settings).map(([key, value]) => `--env=${key}=${value}`);
    const id = run('docker', ['run', '--detach', '--user=54321:54321', ...bare, ...env, image]);
    try {
      // Without a database it is live, but not ready.
      const ask = (path: string) => `fetch("http://127.0.0.1:8000${path}").then((r) => console.log(r.status))`;
      const answer = (path: string) => run('docker', ['exec', id, 'node', '-e', ask(path)]);
      await waitFor('the API', () => Promise.resolve(answer('/healthz')));
      expect([answer('/healthz'), answer('/readyz')]).toEqual(['200', '503']);
      run('docker', ['stop', id]);
      expect(run('docker', ['inspect', '--format', '{{.State.ExitCode}}', id])).toBe('0');
    } finally {
      run('docker', ['rm', '--force', id]);
    }
  });

  it('explains a missing configuration and exits 78', () => {
    const { output, status } = attempt('docker', [...contained, image], clone);
    expect([status, output]).toEqual([78, expect.stringMatching(/^DATABASE_URL: is not set/m)]);
  });

  it('has no additional privileges', () => {
    const status = run('docker', [...contained, '--security-opt=no-new-privileges', image, 'cat', '/proc/self/status']);
    expect(status).toMatch(/^Uid:\t10001\t/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  });
});

/** The `words` that occur in our files of the image. */
function findWords(words: readonly string[]): string[] {
  const script = `
    const fs = require('node:fs');
    const paths = ['/app/apps', '/app/libs'].flatMap((root) =>
      fs.readdirSync(root, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => e.parentPath + '/' + e.name));
    const text = paths.map((path) => fs.readFileSync(path, 'utf8')).join('\\n');
    console.log(JSON.stringify(JSON.parse(fs.readFileSync(0, 'utf8')).filter((word) => text.includes(word))));`;
  const asked = join(clone, '../words.json');
  writeFileSync(asked, JSON.stringify(words));
  const command = 'docker run --rm --interactive --network=none "$1" node -e "$2" <"$3"';
  return JSON.parse(run('sh', ['-c', command, 'sh', image, script, asked])) as string[];
}
