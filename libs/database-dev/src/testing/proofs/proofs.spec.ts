import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { parseDatabaseUrl } from '@airlock/config';
import { skipUnless } from '@airlock/config/testing';
import { Redis } from 'ioredis';
import { withClient, createSessionConfig } from '@airlock/database/internal';
import { isPortFree, identifyProcess } from '@airlock/embedded-postgres';
import { describeWithRedis } from '../fixture/use-test-redis.js';

const RUN_LIMIT_MS = 60_000;
const itWithRedisServer = skipUnless(existsSync('/usr/bin/redis-server'), it, 'no /usr/bin/redis-server');
const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const JEST = fileURLToPath(new URL('../../../../../node_modules/jest/bin/jest.js', import.meta.url));
const AIRLOCK = fileURLToPath(new URL('../../../../../apps/cli/bin/airlock.js', import.meta.url));
const HOOKS = fileURLToPath(new URL('../../../../../tools/typescript.mjs', import.meta.url));

interface Run {
  exitCode: number | null;
  output: string;
  pid: number;
}

describe('a run of Jest', () => {
  it(
    'isolates files in separate databases and workers, and leaves nothing',
    async () => {
      const { exitCode, output, pid } = await runJest(['isolated'], ['--maxWorkers=2']);
      expect(output).toContain('Tests:       6 passed');
      expect(exitCode).toBe(0);
      const lines = new Set(output.match(/database=\S+ worker=\d+/g));
      expect(lines.size).toBe(2);
      expect(listLeftovers(pid)).toEqual([]);
    },
    RUN_LIMIT_MS,
  );

  it(
    // On a separate server: every test of a run shares what this one changes.
    'restores the roles that its databases share, removes new objects of the server, and fails the tests that changed them',
    async () => {
      const { exitCode, output } = await runJest(['roles.fixture']);
      expect(output).toContain('Tests:       28 passed');
      expect(exitCode).toBe(0);
    },
    RUN_LIMIT_MS,
  );

  it(
    'keeps the database of a failed file, and says how to look inside',
    async () => {
      const { exitCode, output, pid } = await runJest(['failing']);
      expect(exitCode).toBe(1);
      expect(output).toContain('The database of the failed test is kept. To look inside: airlock db kept');
      expect(listLeftovers(pid)).toEqual([]);
      const kept = serveKept();
      try {
        const [, file, url = ''] = /^(.+)\n {2}(postgres:\S+)\nCtrl-C stops the server\.\n/.exec(await kept.said) ?? [];
        expect(file).toBe('fixtures/failing.fixture.ts: fails and leaves a row');
        expect(await listLeftRows(url)).toEqual(['left by a failure']);
      } finally {
        kept.child.kill('SIGINT');
      }
      expect(await kept.ended).toEqual([0, null]);
    },
    RUN_LIMIT_MS,
  );

  it(
    'keeps the rows that each failed test saw, for every isolation, and shows none of them to later tests',
    async () => {
      const { output } = await runJest(['kept']);
      expect(output).toContain('Tests:       6 failed, 6 passed');
      expect(output).toContain('The databases of 3 failed tests are kept.');
    },
    RUN_LIMIT_MS,
  );

  it.each([
    ['rollback', ['left by a failure', 'not committed']],
    ['delete', ['left by a failure']],
    ['clone', ['left by a failure']],
  ])(
    'keeps the rows of a failed test with isolation `%s`',
    async (isolation, rows) => {
      const { output } = await runJest(['kept'], ['--testNamePattern', `^${isolation} `]);
      expect(output).toContain('The databases of 2 failed tests are kept.');
      const kept = serveKept();
      try {
        const said = await kept.said;
        const readUrl = (test: string) =>
          new RegExp(`^fixtures/kept\\.fixture\\.ts: ${isolation} › ${test}\\n {2}(postgres:\\S+)$`, 'm').exec(
            said,
          )?.[1] ?? said;
        expect(await listLeftRows(readUrl('fails in the middle of a transaction'))).toEqual(rows);
        expect(await listLeftRows(readUrl('misses an assertion'))).toEqual(['left by another']);
      } finally {
        kept.child.kill('SIGINT');
      }
      await kept.ended;
    },
    RUN_LIMIT_MS,
  );

  it(
    'fails for anything that a file leaves open, and closes it; and when Node warns',
    async () => {
      const { exitCode, output, pid } = await runJest(['leaking', 'warning']);
      expect(exitCode).toBe(1);
      for (const leak of ['1 × timer', '1 × TCPServerWrap', '1 × ProcessWrap']) {
        expect(output).toContain(`fixtures/leaking.fixture.ts: left open: ${leak}; expected it closed`);
      }
      const [, left] = /ChildProcess (\d+) \(sleep 600\)/.exec(output) ?? [];
      expect(identifyProcess(Number(left))).toBeUndefined();
      expect(output).toContain('fixtures/warning.fixture.ts: Node warned: MaxListenersExceededWarning');
      expect(listLeftovers(pid)).toEqual([]);
    },
    RUN_LIMIT_MS,
  );

  it(
    'names the specs that it skipped without a Redis, and fails them in CI',
    async () => {
      const skipped = await runJest(['redis'], [], { PATH: '/nowhere' });
      expect(skipped.output).toContain(
        '\nSkipped:\n  a cache (skipped: no redis-server or valkey-server on PATH, and REDIS_URL is not set)\n',
      );
      expect(skipped.exitCode).toBe(0);
      const inCi = await runJest(['redis'], [], { PATH: '/nowhere', CI: 'true' });
      expect(inCi.output).toContain('Redis: none here, and CI must have one');
      expect(inCi.exitCode).toBe(1);
    },
    2 * RUN_LIMIT_MS,
  );
});

describeWithRedis('a run of Jest with Redis', (redis) => {
  itWithRedisServer(
    'starts one on a free port, gives each file an empty index, and leaves nothing',
    async () => {
      const { exitCode, output, pid } = await runJest(['redis', 'cache'], ['--maxWorkers=2']);
      expect(output).toContain('Tests:       3 passed');
      expect(exitCode).toBe(0);
      const ports = new Set([...output.matchAll(/redis port=(\d+)/g)].map(([, port]) => Number(port)));
      expect(ports.size).toBe(1);
      const [port = 0] = ports;
      expect(port).not.toBe(Number(new URL(redis.url).port));
      expect(await isPortFree(port)).toBe(true);
      expect(listLeftovers(pid)).toEqual([]);
    },
    RUN_LIMIT_MS,
  );

  it(
    'uses the one of REDIS_URL, beside other users of its indexes',
    async () => {
      const ours = new URL(redis.url);
      const client = new Redis(redis.url);
      try {
        await client.set('held by', 'another user');
        const { exitCode, output } = await runJest(['redis'], [], { REDIS_URL: redis.url });
        expect(exitCode).toBe(0);
        const [, port, index] = /redis port=(\d+) index=(\d+)/.exec(output) ?? [];
        expect(port).toBe(ours.port);
        expect(`/${index}`).not.toBe(ours.pathname);
        expect(await client.get('held by')).toBe('another user');
        await client.select(Number(index));
        expect(await client.dbsize()).toBe(0);
      } finally {
        await client.quit();
      }
    },
    RUN_LIMIT_MS,
  );
});

async function runJest(files: string[], options: string[] = [], env: Record<string, string> = {}): Promise<Run> {
  const args = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', '--import', HOOKS, JEST];
  const child = spawn(process.execPath, [...args, '--no-color', ...options, ...files], {
    cwd: FOLDER,
    env: { PATH: '/usr/bin:/bin', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child, 'close');
  return { exitCode: child.exitCode, output, pid: child.pid ?? 0 };
}

/** The command itself, in a process without tests. `said` is its output once it serves, or has ended. */
function serveKept() {
  const child = spawn(process.execPath, [AIRLOCK, 'db', 'kept'], { env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close') as Promise<[number | null, string | null]>;
  const said = new Promise<string>((resolve) => {
    let output = '';
    const note = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.endsWith('Ctrl-C stops the server.\n')) resolve(output);
    };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', note);
    void ended.then(() => resolve(output));
  });
  return { child, said, ended };
}

/** Folders of clusters contain the id of their owner, and so do the records of runs. */
function listLeftovers(pid: number): string[] {
  const folders = [
    `/dev/shm/airlock-${process.getuid?.()}`,
    fileURLToPath(new URL('../../../../../node_modules/.cache/airlock/runs', import.meta.url)),
  ];
  return folders.flatMap((folder) => readdirSync(folder)).filter((name) => name.includes(`${pid}`));
}

async function listLeftRows(url: string): Promise<string[]> {
  const context = { config: createSessionConfig('testing'), purpose: 'proof' };
  return withClient(parseDatabaseUrl(url, 'kept'), context, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT name FROM parcels WHERE owner_id = 'proof' ORDER BY name`,
    );
    return rows.map(({ name }) => name);
  });
}
