import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, lchownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Secret } from '@airlock/config';
import { skipUnless } from '@airlock/config/testing';
import { createDatabase, runAs } from '@airlock/database/fixtures';
import { sampleModel } from '@airlock/database/sample';
import { findBrokenBindings, readLocation, readStamp } from '@airlock/database/sessions';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { openBackupStorage, openSourceBackups, openStorage } from '@airlock/storage';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { createWorld, type World } from './backup-world.fixture.js';
import { createToolFolder, findClientTools } from './client-tools.fixture.js';
import { PREFIX, serverUser } from './cluster/guard.js';
import { createBackup, withRestoredSource } from './index.js';
import type { Run } from './restored-refresh.fixture.js';

const HOOKS = new URL('../../../tools/typescript.mjs', import.meta.url).href;
const RUNNER = fileURLToPath(new URL('./restored-refresh.fixture.ts', import.meta.url));
const MINUTE = 60_000;
const FOREIGN = 'CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w';
const SUBSCRIPTION = `CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (connect = false, slot_name = NONE)`;

const tools = findClientTools();
const describeWithTools = skipUnless(
  tools !== undefined && process.platform === 'linux',
  describe,
  'no PostgreSQL 18 with its client programs, and no image to take it from',
);

describeWithTools('a restored source', () => {
  let cluster: Cluster;
  let world: World;
  let folder: string;
  const runners: ChildProcess[] = [];
  beforeAll(async () => void (cluster = await startScratchCluster()));
  afterAll(() => cluster.stop());
  beforeEach(async () => {
    world = await createWorld(cluster, { tools });
    await world.sql('UPDATE ops.heartbeat SET at = now()');
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'airlock-spec-')));
    chmodSync(folder, 0o711);
  });
  afterEach(async () => {
    for (const runner of runners.splice(0)) runner.kill('SIGKILL');
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });

  type Options = Parameters<typeof withRestoredSource>[0];
  type Use<T> = Parameters<typeof withRestoredSource<T>>[1];
  const open = (path = world.folder) =>
    openSourceBackups({ kind: 'folder', path }, { environment: 'production', httpClient: world.config.httpClient });
  const restore = async <T>(use: Use<T>, changes: Partial<Options> = {}) => {
    const storage = changes.storage ?? (await open());
    const { migrations } = world.options;
    const options = { environment: 'production', storage, tools, migrations, folder, maxLagMs: MINUTE } as const;
    return withRestoredSource({ ...options, ...changes }, use);
  };
  const nothing = () => Promise.resolve();
  const readOne = <T extends object>(address: Parameters<typeof runAs>[0], sql: string) =>
    runAs(address, async (client) => (await client.query<T>(sql)).rows[0]);

  it('has the rows of the newest backup and the stamp of its original, and nothing of it stays', async () => {
    await createBackup(world.options);
    await world.sql(`DELETE FROM public.parcels WHERE name <> 'parcel 1'`);
    const { backup } = await createBackup(world.options);
    const found = await restore(async (source) => {
      const { address, recovery } = source;
      expect(findServers(folder)).not.toEqual([]);
      expect(await readOne(address, 'SELECT name FROM public.parcels')).toEqual({ name: 'parcel 1' });
      const [stamp, here] = await runAs(address, async (client) => [
        await readStamp(client),
        await readLocation(client),
      ]);
      expect([stamp?.environment, findBrokenBindings(stamp!, here)]).toEqual([
        'production',
        expect.arrayContaining([expect.stringContaining('stamped on server')]),
      ]);
      expect(recovery.heartbeatAt?.getTime()).toBeLessThanOrEqual(Date.parse(backup.takenAt));
      expect(recovery.recoveryPointMs).toBeGreaterThan(0);
      expect(recovery.recoveryTimeMs).toBeLessThanOrEqual(recovery.recoveryPointMs!);
      return source.backup.name;
    });
    expect([found, readdirSync(folder), findServers(folder)]).toEqual([backup.name, [], []]);
  });

  it('can be reached by a socket in a folder of its user only, with a random password', async () => {
    await createBackup(world.options);
    await restore(async ({ address }) => {
      expect(await readOne(address, 'SHOW listen_addresses')).toEqual({ listen_addresses: '' });
      const server = address.host;
      expect([join(server, '..'), statSync(server).mode & 0o777]).toEqual([folder, 0o700]);
      expect(statSync(join(server, `.s.PGSQL.${address.port}`)).mode & 0o077).toBe(0);
      const guessed = { ...address, password: new Secret('postgres') };
      await expect(readOne(guessed, 'SELECT 1')).rejects.toThrow('password authentication failed');
      expect(readdirSync(server)).not.toContain('password');
      return undefined;
    });
  });

  it.each([
    ['a check', `CREATE TABLE public.trap (v text CHECK (public.spring(v))); INSERT INTO public.trap VALUES ('x')`],
    [
      'a domain',
      `CREATE DOMAIN public.d AS text CHECK (public.spring(VALUE)); CREATE TABLE public.trap (v public.d); INSERT INTO public.trap VALUES ('x')`,
    ],
    [
      'a generated column',
      `CREATE TABLE public.trap (v text, g boolean GENERATED ALWAYS AS (public.spring(v)) STORED); INSERT INTO public.trap VALUES ('x')`,
    ],
    [
      'an index',
      `CREATE TABLE public.trap (v text); CREATE INDEX ON public.trap (public.spring(v)); INSERT INTO public.trap VALUES ('x')`,
    ],
    [
      'a table of Airlock that became a view',
      `ALTER TABLE ops.heartbeat RENAME TO beats; CREATE VIEW ops.heartbeat AS SELECT at FROM ops.beats WHERE public.spring('')`,
    ],
  ])('runs the code of %s without rights on the server', async (_, sql) => {
    const sprung = makeFolder('sprung');
    chmodSync(sprung, 0o777);
    const owner = `${world.options.app.database}_owner`;
    const program = `COPY (SELECT) TO PROGRAM ''touch ${sprung}/it''`;
    await world.sql(
      `SET ROLE ${owner}; CREATE FUNCTION public.spring(v text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
         $$ BEGIN
              IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user) AND current_database() ~ '^airlock_restore_' THEN
                EXECUTE '${program}';
              END IF;
              RETURN true;
            END $$; ${sql}`,
    );
    await createBackup(world.options);
    await restore(nothing);
    expect(readdirSync(sprung)).toEqual([]);
  });

  it('has trusted extensions, and is refused with another one', async () => {
    await world.sql(
      `CREATE EXTENSION citext SCHEMA public; ALTER TABLE public.parcels ADD COLUMN title public.citext DEFAULT 'A title'`,
    );
    await createBackup(world.options);
    await restore(async ({ address }) =>
      expect(await readOne(address, `SELECT count(*)::int FROM public.parcels WHERE title = 'a TITLE'`)).toEqual({
        count: 300,
      }),
    );
    await world.sql('CREATE EXTENSION pgrowlocks SCHEMA public');
    await createBackup(world.options);
    const attempt = restore(mustNotRun);
    await expect(attempt).rejects.toThrow('permission denied to create extension "pgrowlocks"');
    await expectRefusal(attempt, { problem: 'restore-failed', exitCode: 1 });
  });

  it('ends when its use fails', async () => {
    await createBackup(world.options);
    await expect(restore(() => Promise.reject(new Error('the use failed')))).rejects.toThrow('the use failed');
    expect([readdirSync(folder), findServers(folder)]).toEqual([[], []]);
  });

  const expectRefusal = async (attempt: Promise<unknown>, expected: { problem: string; exitCode: number }) => {
    await expect(attempt).rejects.toMatchObject(expected);
    const left = readdirSync(folder).filter((name) => name.startsWith(PREFIX));
    expect([left, findServers(folder)]).toEqual([[], []]);
  };
  const mustNotRun = () => Promise.reject(new Error('was used'));

  it.each([
    ['a heartbeat that is too old', 'stale-heartbeat', `UPDATE ops.heartbeat SET at = now() - interval '61 s'`],
    ['no heartbeat', 'stale-heartbeat', 'UPDATE ops.heartbeat SET at = NULL'],
    ['a heartbeat without an end', 'stale-heartbeat', `UPDATE ops.heartbeat SET at = 'infinity'`],
    ['a heartbeat without a beginning', 'stale-heartbeat', `UPDATE ops.heartbeat SET at = '-infinity'`],
    ['a heartbeat after the backup', 'stale-heartbeat', `UPDATE ops.heartbeat SET at = now() + interval '61 s'`],
    ['no table of heartbeats', 'stale-heartbeat', 'ALTER TABLE ops.heartbeat RENAME TO other'],
    ['a foreign server', 'foreign-server', FOREIGN],
    ['a user mapping', 'foreign-server', `${FOREIGN}; CREATE USER MAPPING FOR PUBLIC SERVER s`],
    ['a foreign table', 'foreign-server', `${FOREIGN}; CREATE FOREIGN TABLE t (id int) SERVER s`],
    ['a subscription', 'foreign-server', SUBSCRIPTION],
  ])('is refused with %s, by its name, and leaves nothing', async (_, problem, sql) => {
    await world.sql(sql);
    await createBackup(world.options);
    await expectRefusal(restore(mustNotRun), { problem, exitCode: 1 });
  });

  it.each([
    ['a manifest without its dump', 'missing-dump', () => remove(world.folder, '~dump')],
    ['a dump that was cut', 'truncated-dump', () => world.change('~dump', (bytes) => bytes.subarray(0, -1))],
    ['a flipped byte', 'damaged', () => world.change('~dump', flipMiddle)],
  ])('is refused with %s, by its name, and leaves nothing', async (_, problem, spoil) => {
    await createBackup(world.options);
    await spoil();
    await expectRefusal(restore(mustNotRun), { problem, exitCode: 1 });
  });

  it('is refused before anything is created if the backup lacks a migration of this release', async () => {
    await createBackup(world.options);
    const migrations = [...world.options.migrations, { name: '20991128000000-later' }];
    await expectRefusal(restore(mustNotRun, { migrations, tools: '/nonexistent' }), {
      problem: 'missing-migrations',
      exitCode: 3,
    });
  });

  const setSize = (text: string) =>
    world.change('manifest.json', (bytes) => Buffer.from(bytes.toString().replace(/ "databaseBytes": \d+,/, text)));
  it.each([
    ['tools', 'wrong-tools', () => Promise.resolve({ tools: '/nonexistent' })],
    ['the programs of a server', 'wrong-tools', () => Promise.resolve({ tools: linkTools(['pg_restore']) })],
    ['a folder', 'unfit-folder', () => Promise.resolve({ folder: '/nonexistent' })],
    ['room on the disk', 'unfit-folder', async () => void (await setSize(' "databaseBytes": 1000000000000000,'))],
    ['a path free of commas', 'unfit-folder', () => Promise.resolve({ folder: makeFolder('a,b') })],
    ['a path free of quotation marks', 'unfit-folder', () => Promise.resolve({ folder: makeFolder('a"b') })],
    ['room for the path of a socket', 'unfit-folder', () => Promise.resolve({ folder: makeFolder('x'.repeat(80)) })],
  ])('is refused without %s, before anything is done', async (_, problem, arrange) => {
    await createBackup(world.options);
    await expectRefusal(restore(mustNotRun, (await arrange()) ?? {}), { problem, exitCode: 3 });
  });

  it('shows the log of a server that does not start', async () => {
    await createBackup(world.options);
    const broken = linkTools(['pg_restore', 'initdb']);
    const script = `#!/bin/sh\n[ "$1" = --version ] && exec "${tools}/postgres" "$@"\n[ "$1" = -V ] && exec "${tools}/postgres" "$@"\n[ "$1" = -D ] || exec "${tools}/postgres" "$@"\necho out of luck; exit 1\n`;
    writeFileSync(join(broken, 'postgres'), script);
    chmodSync(join(broken, 'postgres'), 0o755);
    const attempt = restore(mustNotRun, { tools: broken });
    await expect(attempt).rejects.toThrow('server-failed: the throw-away PostgreSQL did not start; its log ends with');
    await expectRefusal(attempt, { problem: 'server-failed', exitCode: 1 });
  });

  it('takes a manifest of a release that did not state the size of the database', async () => {
    await createBackup(world.options);
    await setSize('');
    await restore(nothing);
  });

  it('needs the identity of an encrypted backup', async () => {
    const [identity, other] = await Promise.all([generateX25519Identity(), generateX25519Identity()]);
    await createBackup({ ...world.options, recipients: [await identityToRecipient(identity)] });
    for (const wrong of [undefined, new Secret(other)])
      await expect(restore(nothing, { identity: wrong })).rejects.toMatchObject({ problem: 'no-key', exitCode: 3 });
    await restore(nothing, { identity: new Secret(identity) });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is refused from the backups of another environment, from files of users and from an empty folder', async () => {
    const options = { ...world.config, environment: 'staging' } as const;
    const [own, files, empty] = ['own', 'files', 'empty'].map((name) => join(folder, name));
    for (const path of [own, files, empty]) mkdirSync(path!);
    await openBackupStorage({ kind: 'folder', path: own! }, options);
    await openStorage({ kind: 'folder', path: files! }, { ...options, environment: 'production' });
    for (const [path, message] of [
      [own, 'is stamped staging; expected the stamp production'],
      [files, 'has no stamp; expected the stamp production'],
      [empty, 'has no stamp; expected the stamp production'],
    ])
      await expect(restore(nothing, { storage: await open(path) })).rejects.toMatchObject({
        problem: 'other-environment',
        exitCode: 3,
        message: expect.stringContaining(`REFRESH_BACKUP_URL: the folder ${path} ${message}`),
      });
    expect(readdirSync(empty!)).toEqual([]);
  });

  describe('of a killed refresh', () => {
    let target: Awaited<ReturnType<typeof createDatabase>>;
    const OLD = 'of staging';
    beforeEach(async () => {
      const classes = await sampleModel.loadClasses();
      const model = { migrations: sampleModel.migrations, classes };
      const sql = `INSERT INTO parcels (owner_id, name) VALUES ('user_1', '${OLD}')`;
      target = await createDatabase(cluster, { environment: 'staging', model, sql });
      await createBackup(world.options);
    });
    const readTarget = async () => {
      const sql = `SELECT count(*)::int AS n, coalesce(min(name) = '${OLD}', false) AS old FROM parcels`;
      return readOne<object>({ ...target.admin, database: target.app.database }, sql);
    };
    const run = (stopAt: string) => {
      const { host, port, password } = cluster.superuser;
      const server = { host, port, password: password.reveal() };
      const options: Run = {
        server,
        target: target.app.database,
        backups: world.folder,
        folder,
        tools: tools!,
        stopAt,
      };
      const runner = spawn(process.execPath, ['--import', HOOKS, RUNNER, JSON.stringify(options)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      runners.push(runner);
      return runner;
    };
    const start = async (stopAt: string) => {
      const runner = run(stopAt);
      const lines: string[] = [];
      for await (const line of createInterface(runner.stdout)) {
        lines.push(line);
        if (line === 'stopped') break;
      }
      return { runner, lines };
    };
    const kill = async (runner: ChildProcess) => {
      const ended = once(runner, 'exit');
      runner.kill('SIGKILL');
      await ended;
    };

    it.each(['the restore', 'COPY (SELECT'])(
      'during %s neither server nor folder stays, and staging serves',
      async (at) => {
        const { runner } = await start(at);
        const servers = findServers(folder);
        expect([readdirSync(folder).length, servers.length > 0]).toEqual([1, true]);
        await kill(runner);
        await until(() => readdirSync(folder).length === 0);
        expect(servers.filter(isAlive)).toEqual([]);
        expect(await readTarget()).toEqual({ n: 1, old: true });
        expect((await start('')).lines).toEqual(['done']);
        expect([await readTarget(), readdirSync(folder)]).toEqual([{ n: 300, old: false }, []]);
      },
    );

    it('while the server is created and started it stays neither', async () => {
      const runner = run('');
      await until(() => readdirSync(folder).some((name) => readdirSync(join(folder, name)).includes('data')));
      await kill(runner);
      await until(() => readdirSync(folder).length === 0);
      expect([findServers(folder), await readTarget()]).toEqual([[], { n: 1, old: true }]);
    });

    it('is removed by the next one if its guard was killed too, as in a power cut', async () => {
      const { runner } = await start('COPY (SELECT');
      const servers = findServers(folder);
      const [name] = readdirSync(folder);
      const server = Number.parseInt(readFileSync(join(folder, name!, 'data/postmaster.pid'), 'utf8'), 10);
      const guards = listProcesses().filter((pid) => readArguments(pid).includes(`guard\0${folder}/`));
      expect(guards).toHaveLength(2);
      for (const pid of guards) process.kill(pid, 'SIGKILL');
      await kill(runner);
      await until(() => guards.every((pid) => !isAlive(pid)));
      expect([isAlive(server), readdirSync(folder)]).toEqual([true, [name]]);
      await restore(nothing);
      expect([servers.some(isAlive), readdirSync(folder)]).toEqual([false, []]);
    });

    it('is not touched by another one while it lives', async () => {
      const { runner } = await start('COPY (SELECT');
      const [[name], servers] = [readdirSync(folder), findServers(folder)];
      await restore(nothing);
      expect([readdirSync(folder), findServers(folder)]).toEqual([[name], servers]);
      await kill(runner);
      await until(() => readdirSync(folder).length === 0);
    });
  });

  it('touches no foreign folder and follows no link', async () => {
    await createBackup(world.options);
    const mark = 'airlock-restored.lock';
    const names = ['plain_', 'linked', 'markln', 'marked'].map((name) => `${PREFIX}${name}`);
    const [plain, linked, withLink, marked] = names.map((name) => join(folder, name)) as [
      string,
      string,
      string,
      string,
    ];
    const elsewhere = makeFolder('elsewhere');
    mkdirSync(join(marked, 'data'), { recursive: true });
    spawnSync('mkfifo', [join(marked, 'data/postmaster.pid')]);
    for (const path of [plain, withLink]) mkdirSync(path);
    for (const path of [elsewhere, marked]) writeFileSync(join(path, mark), '');
    symlinkSync(elsewhere, linked);
    symlinkSync(join(elsewhere, mark), join(withLink, mark));
    const user = serverUser() ?? process.getuid!();
    for (const path of [...names.map((name) => join(folder, name)), elsewhere]) lchownSync(path, user, user);
    await restore(nothing);
    const left = readdirSync(folder).sort();
    expect(left).toEqual(['elsewhere', ...names.slice(0, 3)].sort());
    expect(readdirSync(elsewhere)).toEqual([mark]);
  });

  const makeFolder = (name: string) => {
    const path = join(folder, name);
    mkdirSync(path);
    return path;
  };
});

function flipMiddle(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  const index = changed.length >> 1;
  changed[index] = changed[index]! ^ 1;
  return changed;
}

async function remove(folder: string, ending: string): Promise<void> {
  for (const name of readdirSync(folder))
    if (name !== 'airlock-backups.json' && name.endsWith(ending)) rmSync(join(folder, name));
  return Promise.resolve();
}

/** A folder with some of the programs. */
function linkTools(names: readonly string[]): string {
  const folder = createToolFolder();
  chmodSync(folder, 0o755);
  for (const name of names) symlinkSync(join(tools!, name), join(folder, name));
  return folder;
}

/** The processes of servers whose data is below the folder. */
const findServers = (folder: string) => listProcesses().filter((pid) => readArguments(pid).includes(`-D\0${folder}/`));

function listProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function readArguments(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** A zombie has ended. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** The time limit of the test ends it otherwise. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20);
}
