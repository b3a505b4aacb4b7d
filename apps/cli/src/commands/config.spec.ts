import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { ENVIRONMENTS } from '@airlock/config';
import {
  type BadEnvironment,
  badEnvironments,
  type FolderContent,
  goodEnvironments,
  withFolder,
} from '@airlock/config/testing';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** libs/config tests the whole table. Here every third entry is tested with the command itself, as a process. */
const sample = badEnvironments.filter((_, index) => index % 3 === 0);
const AT_ONCE = 3;

describe('airlock config check', () => {
  const outcomes = new Map<BadEnvironment, Outcome>();

  beforeAll(async () => {
    const waiting = [...sample];
    const work = async () => {
      for (let bad = waiting.shift(); bad; bad = waiting.shift()) outcomes.set(bad, await check(bad));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }, 120_000);

  it('is tested with at least 40 bad environments', () => {
    expect(sample.length).toBeGreaterThanOrEqual(40);
  });

  it.each(sample)('exits 78 on $title and prints what is wrong', (bad) => {
    const { code, stdout, stderr } = outcomes.get(bad) as Outcome;
    const lines = stderr.trimEnd().split('\n');
    expect(lines.filter((line) => !line.startsWith('  '))).toEqual(bad.lines);
    expect(lines).toHaveLength(2 * bad.lines.length);
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
  });

  it('exits 0 and names the file that it read if the configuration is valid', async () => {
    const file = Object.entries(goodEnvironments.development).map(([name, value]) => `${name}=${value}\n`);
    const { code, stdout, stderr } = await run(['config', 'check'], {}, { '.env': file.join('') });
    expect(stdout).toBe('The configuration of development is valid (.env and the process environment).\n');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('prints the verdict as JSON', async () => {
    const { code, stdout, stderr } = await run(['config', 'check', '--json'], {
      ...goodEnvironments.production,
      DEBUG: 'true',
    });
    expect(JSON.parse(stdout)).toMatchObject({
      valid: false,
      environment: 'production',
      violations: [{ name: 'DEBUG' }],
    });
    expect({ code, stderr }).toEqual({ code: 78, stderr: '' });
  });
});

describe('airlock config print', () => {
  const env = { ...goodEnvironments.production, SECRET_KEY_FILE: 'key', SECRET_KEY: undefined, LOG_LEVEL: 'warn' };
  const files = { key: `${goodEnvironments.production.SECRET_KEY}\n` };

  it('shows every value with its source, and secrets as [redacted]', async () => {
    const { stdout } = await run(['config', 'print'], env, files);
    const lines = stdout.trim().split('\n');
    const rows = new Map(lines.map((line) => [line.slice(0, line.indexOf(' ')), line.replace(/\s+/g, ' ')]));
    expect(Object.fromEntries(rows)).toMatchObject({
      LOG_LEVEL: 'LOG_LEVEL warn environment',
      PORT: 'PORT 8000 default',
      SECRET_KEY: 'SECRET_KEY [redacted] secret file key',
      REDIS_URL: 'REDIS_URL [redacted] environment',
      DATABASE_URL:
        'DATABASE_URL postgres://airlock_app:[redacted]@db.corp.net:5432/airlock?sslmode=verify-full environment',
      SENTRY_DSN: 'SENTRY_DSN - not set',
    });
  });

  it('shows the same as JSON', async () => {
    const { stdout } = await run(['config', 'print', '--json'], env, files);
    const shown = JSON.parse(stdout) as { name: string }[];
    expect(shown).toContainEqual({ name: 'SECRET_KEY', value: '[redacted]', source: 'secret file', path: 'key' });
    expect(shown).toContainEqual({ name: 'SENTRY_DSN', value: null, source: 'not set' });
  });

  it.each([
    [['config', 'print']],
    [['config', 'print', '--json']],
    [['config', 'check']],
    [['config', 'check', '--json']],
  ])('never shows a secret: airlock %j', async (args) => {
    const secrets = ['wNk3v0qXZr8bYt5L', 'qXZr8bYt5LwNk3v0', goodEnvironments.production.SECRET_KEY ?? ''];
    for (const set of [{}, { LOG_LEVEL: secrets[2], DEBUG: 'true', HOST: goodEnvironments.production.DATABASE_URL }]) {
      const { stdout, stderr } = await run(args, { ...env, ...set }, files);
      for (const secret of secrets) expect(stdout + stderr).not.toContain(secret);
    }
  });

  it('shows the valid part of a bad configuration, and exits 78', async () => {
    const { code, stdout, stderr } = await run(['config', 'print'], { ...env, PORT: 'x' }, files);
    expect(stdout).toMatch(/^PORT +\(not valid\) +environment$/m);
    expect(stderr).toMatch(/^PORT: is "x"; expected a whole number from 0 to 65535\n {2}set PORT\./);
    expect(code).toBe(78);
  });
});

describe('airlock config example and docs', () => {
  it.each([['example'], ['example', '--environment', 'production'], ['docs']])(
    'prints without any configuration: %s %s %s',
    async (...args) => {
      const { code, stdout } = await run(['config', ...args], {});
      expect(stdout.length).toBeGreaterThan(1_000);
      expect(code).toBe(0);
    },
  );

  it('rejects an unknown environment', async () => {
    const { code, stderr } = await run(['config', 'example', '--environment', 'prod'], {});
    expect(stderr).toContain(ENVIRONMENTS.join(', '));
    expect(code).not.toBe(0);
  });
});

describe('airlock setup', () => {
  it('creates .env, and does not change an existing one', async () => {
    const { stdout: example } = await run(['config', 'example'], {});
    await withFolder({ '.env.example': example }, async (cwd) => {
      expect((await runIn(cwd, ['setup'], {})).stdout).toBe(
        'Created .env from .env.example, with generated passwords and free ports.\n',
      );
      expect((await runIn(cwd, ['setup'], {})).stdout).toBe('.env already exists and was not changed.\n');
      expect(await runIn(cwd, ['config', 'check'], {})).toMatchObject({ code: 0 });
    });
  });

  it('says where to run it if there is no example', async () => {
    await withFolder({}, async (cwd) => {
      const { code, stderr } = await runIn(cwd, ['setup'], {});
      expect(stderr).toMatch(
        /^\.env\.example: cannot be read in this folder; expected .*\n {2}run `airlock setup` in the root/,
      );
      expect({ code, made: existsSync(`${cwd}/.env`) }).toEqual({ code: 78, made: false });
    });
  });
});

function check({ base, set, files }: BadEnvironment): Promise<Outcome> {
  return run(['config', 'check'], { ...goodEnvironments[base], ...set }, files);
}

function run(args: string[], env: Record<string, string | undefined>, files: FolderContent = {}): Promise<Outcome> {
  return withFolder(files, (cwd) => runIn(cwd, args, env));
}

/** Runs the command in this folder with only these variables. */
function runIn(cwd: string, args: string[], env: Record<string, string | undefined>): Promise<Outcome> {
  const command = fileURLToPath(new URL('../../bin/airlock.js', import.meta.url));
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
  return new Promise((resolve) => {
    execFile(process.execPath, [command, ...args], { cwd, env: given }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}
