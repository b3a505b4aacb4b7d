import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { skipUnless } from '@airlock/config/testing';
import { chooseStorageFolder } from './test-storage.js';
import { type Cluster, startCluster } from './cluster.js';
import { readSystemIdentifier } from './cluster-mark.js';
import { describeFolder, ForeignServer } from './foreign-server.fixture.js';
import { createOwnedFolder, sweepOwnedFolders } from './leftovers.js';
import { type PreparedFolders, prepareFolders } from './prepared-folders.fixture.js';
import { chooseIdentity } from './unprivileged.js';

const MARK = 'airlock-cluster.json';
const RUN = 'airlock-run.json';
const LIMIT_MS = 120_000;
const itAsRoot = skipUnless(process.getuid?.() === 0, it, 'not root');
const canUnshare = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;
const itWithNamespaces = skipUnless(canUnshare, it, 'no pid namespaces');

let prepared: PreparedFolders;
let owned: string;
/** The path at which the workspace expects its folder. */
let dataDir: string;
let foreign: string;
let servers: ForeignServer[];
let clusters: Cluster[];

beforeAll(async () => {
  prepared = await prepareFolders();
});
afterAll(() => prepared.remove());

beforeEach(() => {
  owned = realpathSync(createOwnedFolder(chooseStorageFolder(existsSync('/dev/shm') ? 'memory' : 'disk'), 'spec'));
  chmodSync(owned, 0o711);
  mkdirSync(join(owned, 'local'));
  dataDir = join(owned, 'local/postgres');
  foreign = join(owned, 'foreign');
  servers = [];
  clusters = [];
});

afterEach(async () => {
  for (const cluster of clusters) await cluster.stop();
  for (const server of servers) await server.stop();
  await rm(owned, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

describe('a data folder that another server uses', () => {
  it.each<{ what: string; put: () => void | Promise<void>; says: RegExp }>([
    { what: 'a link to it', put: () => symlinkSync(foreign, dataDir), says: /is a link to .*\nRemove the link.*: rm / },
    {
      what: 'a link to its parent folder',
      put: () => {
        renameSync(join(owned, 'local'), join(owned, 'elsewhere'));
        symlinkSync(join(owned, 'elsewhere'), join(owned, 'local'));
        renameSync(foreign, join(owned, 'elsewhere/postgres'));
        foreign = join(owned, 'elsewhere/postgres');
      },
      says: /is a link to .*\nRemove the link.*: rm /,
    },
    {
      what: 'the folder itself',
      put: () => renameSync(foreign, dataDir),
      says: /holds a PostgreSQL without the mark of this workspace; expected one that this workspace made\nA server runs in it: its owner can stop that server/,
    },
    {
      what: 'the folder itself, with a mark of another cluster in it',
      put: async () => {
        const ours = await prepared.copyOwn(join(owned, 'ours'));
        copyFileSync(join(ours, MARK), join(foreign, MARK));
        renameSync(foreign, dataDir);
      },
      says: /holds a PostgreSQL without the mark of this workspace/,
    },
  ])('is not changed, and neither is its server: $what', async ({ put, says }) => {
    await prepared.copyForeign(foreign);
    const server = await startForeign(foreign);
    await put();
    const lies = existsSync(foreign) ? foreign : dataDir;
    const before = describeFolder(lies);
    await expect(startCluster({ dataDir, durable: true })).rejects.toThrow(says);
    expect(describeFolder(lies)).toEqual(before);
    expect(server.isAlive).toBe(true);
  });

  it.each([{ running: 'run' }, { running: undefined }])(
    'is not changed if it is a copy of ours, for any earlier owner (%j)',
    async ({ running }) => {
      const original = await start(await prepared.copyOwn(join(owned, 'original')));
      if (!running) await original.stop();
      cpSync(original.dataDir, dataDir, { recursive: true });
      rmSync(join(dataDir, 'postmaster.pid'), { force: true });
      giveToServer(dataDir);
      const server = await startForeign(dataDir);
      const before = describeFolder(dataDir);
      await expect(startCluster({ dataDir, durable: true })).rejects.toThrow(`process ${server.pid} (`);
      expect(describeFolder(dataDir)).toEqual(before);
      expect(server.isAlive).toBe(true);
    },
    LIMIT_MS,
  );

  it('is not changed if its server is not visible: its pid file counts, because its command line is not ours', async () => {
    await prepared.copyOwn(dataDir);
    const server = await startForeign(dataDir);
    const pidFile = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8');
    await server.stop();
    writeFileSync(join(dataDir, 'postmaster.pid'), pidFile.replace(/^\d+/, '4194000'));
    const before = describeFolder(dataDir);
    await expect(startCluster({ dataDir, durable: true })).rejects.toThrow(
      /postmaster\.pid names process 4194000, which this workspace did not start or which is not visible from here; .*\nOnly if no server uses the folder any more, not even in a container: rm /,
    );
    expect(describeFolder(dataDir)).toEqual(before);
  });

  it('is not changed if it is ours and runs without its run file', async () => {
    const cluster = await start(await prepared.copyOwn(dataDir));
    rmSync(join(dataDir, RUN));
    await expect(startCluster({ dataDir, durable: true })).rejects.toThrow('and its owner is not known');
    await expect(Promise.race([cluster.ended, Promise.resolve('running')])).resolves.toBe('running');
  });

  itWithNamespaces(
    'is not changed if it is ours and runs outside of the current container',
    async () => {
      const cluster = await start(await prepared.copyOwn(dataDir));
      const text = startInContainer();
      expect(text).toMatch(
        /FolderRefusal .*postgres: a PostgreSQL that is not visible from here, such as one in a container, holds/,
      );
      await expect(Promise.race([cluster.ended, Promise.resolve('running')])).resolves.toBe('running');
      expect(existsSync(join(dataDir, 'postmaster.pid'))).toBe(true);
    },
    LIMIT_MS,
  );
});

describe('a data folder that holds links', () => {
  it.each([
    'postmaster.pid',
    'server.log',
    RUN,
    'pg_wal',
    'pg_wal/archive_status',
    'pg_tblspc/16400',
    'pg_xact/0000',
    'global/pg_control',
    'base/1/PG_VERSION',
    'airlock.lock',
    MARK,
  ])(
    'is refused, and the target of %s is not changed',
    async (name) => {
      await prepared.copyOwn(dataDir);
      const target = join(owned, 'target');
      const isFolder = /^pg_(wal|tblspc)/.test(name);
      if (isFolder) mkdirSync(target);
      else writeFileSync(target, 'of another');
      rmSync(join(dataDir, name), { recursive: true, force: true });
      symlinkSync(target, join(dataDir, name));
      await expect(startCluster({ dataDir, durable: true })).rejects.toThrow(
        `${join(dataDir, name)}: is a link to ${target}; expected only files and folders in the data folder`,
      );
      if (!isFolder) expect(readFileSync(target, 'utf8')).toBe('of another');
    },
    LIMIT_MS,
  );

  it.each<{ what: string; link: (original: string) => void; says: string }>([
    {
      what: 'every file (cp -al)',
      link: (original) => execFileSync('cp', ['-al', original, dataDir]),
      says: 'is a file with 2 names; expected files without another name: the other may be in the data of another server',
    },
    { what: 'one file of rows', link: linkFile('base/1/1259'), says: `base/1/1259: is a file with 2 names; ` },
    {
      what: 'the control file',
      link: linkFile('global/pg_control'),
      says: 'global/pg_control: is a file with 2 names; ',
    },
    {
      what: 'a folder of rows by a symbolic link',
      link: linkFolder('base/1'),
      says: 'base/1: is a link to ',
    },
    {
      what: 'the state of transactions by a symbolic link',
      link: linkFolder('pg_xact'),
      says: 'pg_xact: is a link to ',
    },
  ])(
    'is refused if it shares $what with another folder, and is used once it is copied as the refusal says',
    async ({ link, says }) => {
      const original = await prepared.copyOwn(join(owned, 'original'));
      link(original);
      const control = readFileSync(join(original, 'global/pg_control'));
      const refusal = await startCluster({ dataDir, durable: true }).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ name: 'FolderRefusal', message: expect.stringContaining(says) });
      expect(readFileSync(join(original, 'global/pg_control'))).toEqual(control);
      const [, command = ''] = /then copy the folder: (.*)$/.exec((refusal as Error).message) ?? [];
      execFileSync('/bin/sh', ['-c', command]);
      await start(dataDir);
      expect(readFileSync(join(original, 'global/pg_control'))).toEqual(control);
    },
    LIMIT_MS,
  );

  it('is used if it is an independent copy, by cp -a or as a clone of the file system', async () => {
    const original = await prepared.copyOwn(join(owned, 'original'));
    execFileSync('cp', ['-a', '--reflink=auto', original, dataDir]);
    await expect(start(dataDir)).resolves.toMatchObject({ dataDir });
  });
});

describe('a path that is not a data folder', () => {
  it.each<{ what: string; put: () => void; says: RegExp }>([
    {
      what: 'a file',
      put: () => writeFileSync(dataDir, ''),
      says: /is a file; expected a folder\nMove it aside, .*: mv /,
    },
    { what: 'a pipe', put: () => execFileSync('mkfifo', [dataDir]), says: /is a file; expected a folder/ },
    { what: 'a dangling link', put: () => symlinkSync('/nowhere', dataDir), says: /is a link to \/nowhere/ },
    {
      what: 'a folder with other contents',
      put: () => {
        mkdirSync(dataDir);
        writeFileSync(join(dataDir, 'notes.txt'), 'mine');
      },
      says: /holds notes\.txt and no PostgreSQL; expected an empty folder, or one that this workspace made\nMove it aside/,
    },
  ])('is refused and kept: $what', async ({ put, says }) => {
    put();
    await expect(startCluster({ dataDir, durable: false })).rejects.toThrow(says);
    const { exitCode } = (await startCluster({ dataDir, durable: false }).catch(
      (error: { exitCode?: number }) => error,
    )) as { exitCode?: number };
    expect(exitCode).toBe(1);
  });

  itAsRoot('is refused and keeps its owner: a folder of another user', async () => {
    await prepared.copyOwn(dataDir);
    chownSync(dataDir, 12345, 12345);
    const before = describeFolder(dataDir);
    await expect(startCluster({ dataDir, durable: true })).rejects.toThrow(
      /belongs to user 12345; expected a folder of user 0/,
    );
    expect(describeFolder(dataDir)).toEqual(before);
  });

  it('is used if it is empty', async () => {
    mkdirSync(dataDir);
    await expect(start(dataDir)).resolves.toMatchObject({ dataDir });
  });
});

describe('a data folder from before marks existed', () => {
  it('is adopted if the workspace has recorded its system identifier, and refused otherwise', async () => {
    await prepared.copyOwn(dataDir);
    rmSync(join(dataDir, MARK));
    await expect(startCluster({ dataDir, durable: true })).rejects.toThrow(
      `${dataDir}: holds a PostgreSQL without the mark of this workspace; expected one that this workspace made\nMove it aside, and the next start creates a new one: mv ${dataDir} ${dataDir}.aside`,
    );
    await expect(startCluster({ dataDir, durable: true, knownIdentifier: '1' })).rejects.toThrow(
      'without the mark of this workspace',
    );
    const cluster = await startCluster({ dataDir, durable: true, knownIdentifier: readSystemIdentifier(dataDir) });
    clusters.push(cluster);
    expect(existsSync(join(dataDir, MARK))).toBe(true);
  });

  it('is adopted also with a mark of another cluster in it, which is replaced', async () => {
    await prepared.copyOwn(dataDir);
    const mark = { id: 'f'.repeat(32), systemIdentifier: '1' };
    writeFileSync(join(dataDir, MARK), JSON.stringify(mark));
    const cluster = await startCluster({ dataDir, durable: true, knownIdentifier: readSystemIdentifier(dataDir) });
    clusters.push(cluster);
    expect(JSON.parse(readFileSync(join(dataDir, MARK), 'utf8'))).toEqual({
      id: expect.not.stringMatching(mark.id),
      systemIdentifier: cluster.systemIdentifier,
    });
  });

  it.each<{ what: string; put: () => unknown; says: string }>([
    { what: 'a server that runs in it', put: () => startForeign(dataDir), says: 'which this workspace did not start' },
    {
      what: 'a pid file of a server that is not visible',
      put: () => writeFileSync(join(dataDir, 'postmaster.pid'), `4194000\n${dataDir}\n`),
      says: 'postmaster.pid names process 4194000',
    },
    {
      what: 'another major version',
      put: () => writeFileSync(join(dataDir, 'PG_VERSION'), '17\n'),
      says: 'holds the data of PostgreSQL',
    },
  ])('is not changed, and gets no mark, if it is refused for $what', async ({ put, says }) => {
    await prepared.copyOwn(dataDir);
    rmSync(join(dataDir, MARK));
    await put();
    const before = describeFolder(dataDir);
    const knownIdentifier = readSystemIdentifier(dataDir);
    await expect(startCluster({ dataDir, durable: true, knownIdentifier })).rejects.toThrow(says);
    expect(describeFolder(dataDir)).toEqual(before);
  });
});

describe(sweepOwnedFolders.name, () => {
  it('removes leftovers of a dead owner, and no folder that only has such a name', async () => {
    const parent = join(owned, 'swept');
    mkdirSync(parent);
    const [empty, ofUser, foreignName] = ['run-4194001-1-1', 'data-2024-11-26', 'copy-4194001-1-2'];
    for (const name of [empty, ofUser]) mkdirSync(join(parent, name));
    writeFileSync(join(parent, ofUser, 'notes.txt'), 'mine');
    await prepared.copyForeign(join(parent, foreignName));
    const server = await startForeign(join(parent, foreignName));
    symlinkSync(foreign, join(parent, 'link-4194001-1-3'));
    const alive = createOwnedFolder(parent, 'alive');
    await sweepOwnedFolders(parent);
    expect([empty, ofUser, foreignName].map((name) => existsSync(join(parent, name)))).toEqual([false, true, true]);
    expect(readFileSync(join(parent, ofUser, 'notes.txt'), 'utf8')).toBe('mine');
    expect(server.isAlive).toBe(true);
    expect(existsSync(alive)).toBe(true);
  });
});

async function start(folder: string): Promise<Cluster> {
  const cluster = await startCluster({ dataDir: folder, durable: true });
  clusters.push(cluster);
  return cluster;
}

async function startForeign(folder: string): Promise<ForeignServer> {
  const server = await ForeignServer.start(folder);
  servers.push(server);
  expect(server.isAlive).toBe(true);
  return server;
}

function linkFile(name: string): (original: string) => void {
  return (original) => {
    cpSync(original, dataDir, { recursive: true, preserveTimestamps: true });
    rmSync(join(dataDir, name));
    linkSync(join(original, name), join(dataDir, name));
    giveToServer(dataDir);
  };
}

function linkFolder(name: string): (original: string) => void {
  return (original) => {
    cpSync(original, dataDir, { recursive: true, preserveTimestamps: true });
    rmSync(join(dataDir, name), { recursive: true });
    symlinkSync(join(original, name), join(dataDir, name));
    giveToServer(dataDir);
  };
}

/** The mode that PostgreSQL requires of its folder. */
function giveToServer(folder: string): void {
  chmodSync(folder, 0o700);
  const { uid } = chooseIdentity();
  if (uid !== undefined) execFileSync('chown', ['-R', String(uid), folder]);
}

/** A separate pid namespace, as in a container; the network and the files are shared. */
function startInContainer(): string {
  const hooks = fileURLToPath(new URL('../../../tools/typescript.mjs', import.meta.url));
  const source = new URL('./cluster.ts', import.meta.url).href;
  const script = `import { startCluster } from '${source}';
    await startCluster({ dataDir: '${dataDir}', durable: true }).catch((e) => console.log(e.name, e.message)); process.exit()`;
  const node = [process.execPath, '--import', hooks, '--input-type=module', '--eval', script];
  return spawnSync('unshare', ['--pid', '--fork', '--mount-proc', ...node], { encoding: 'utf8' }).stdout;
}
