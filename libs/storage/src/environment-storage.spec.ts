import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type StorageAddress, Secret } from '@airlock/config';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openBackupStorage, openSourceBackups, openStorage, provisionStorage, type Storage } from './index.js';
import { S3Server } from './testing/s3-server.fixture.js';

const LIMITS = { timeoutMs: 500, maxRetries: 1 };
const options = (environment: 'testing' | 'staging' | 'production' = 'testing') => ({
  environment,
  httpClient: LIMITS,
});
const MB = 1024 * 1024;

function* split(bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes; at += MB) yield Buffer.alloc(Math.min(MB, bytes - at), at / MB + 1);
}
const chunks = (bytes: number) => Readable.from(split(bytes));
async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
async function* broken(bytes: number): AsyncGenerator<Buffer> {
  yield* chunks(bytes);
  throw new Error('the client left');
}

let folder: string;
let server: S3Server;
beforeEach(async () => {
  [folder, server] = await Promise.all([mkdtemp(join(tmpdir(), 'airlock-storage-')), S3Server.start()]);
});
afterEach(async () => {
  await Promise.all([rm(folder, { recursive: true }), server.stop()]);
});
const root = () => join(folder, 'files');
const places = {
  'a folder': () => ({ kind: 'folder', path: root() }) as StorageAddress,
  'a bucket': () => server.address as StorageAddress,
};
/** Everything but the stamp, also what is unfinished. */
const leftovers = {
  'a folder': async () => (await readdir(root())).filter((name) => !name.endsWith('.json')),
  'a bucket': () =>
    Promise.resolve([...server.objects.keys(), ...server.uploads.keys()].filter((name) => !name.endsWith('.json'))),
};

async function withStorage<T>(address: StorageAddress, run: (storage: Storage) => Promise<T>): Promise<T> {
  const storage = await openStorage(address, options());
  try {
    return await run(storage);
  } finally {
    storage.close();
  }
}

it('asks the proxy of a network that has no other way out', async () => {
  const asked: string[] = [];
  const proxy = createServer(({ url = '' }, response) => void (asked.push(url), response.writeHead(404).end()));
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  const outbound = { hosts: [], proxy: `http://127.0.0.1:${port}` };
  await provisionStorage(server.address, { ...options(), outbound }).catch(() => undefined);
  expect(asked[0]).toContain(`http://127.0.0.1:${server.address.port}/`);
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
});

describe.each(Object.keys(places) as (keyof typeof places)[])('%s', (place) => {
  const use = async (run: (storage: Storage, key: string) => Promise<void>) => {
    await provisionStorage(places[place](), options());
    await withStorage(places[place](), (storage) => run(storage, storage.createKey('user_1')));
  };

  it.each([0, 1, 5 * MB, 11 * MB + 7])('gives back %i bytes as they were stored', (bytes) =>
    use(async (storage, key) => {
      await storage.put(key, chunks(bytes), { mediaType: 'image/png' });
      expect((await buffer(await storage.get(key))).equals(Buffer.concat(await collect(chunks(bytes))))).toBe(true);
      expect(await collect(storage.list())).toEqual([{ name: key, bytes }]);
    }),
  );

  it.each([100, 12 * MB])('leaves nothing of content that fails after %i bytes', (bytes) =>
    use(async (storage, key) => {
      await expect(storage.put(key, broken(bytes))).rejects.toThrow('the client left');
      await expect(storage.get(key)).rejects.toMatchObject({ kind: 'missing' });
      expect(await leftovers[place]()).toEqual([]);
    }),
  );

  it('leaves nothing of a put that is aborted', () =>
    use(async (storage, key) => {
      const controller = new AbortController();
      const content = async function* () {
        yield* chunks(6 * MB);
        controller.abort();
        yield* chunks(6 * MB);
      };
      await expect(storage.put(key, content(), { signal: controller.signal })).rejects.toThrow(/abort/i);
      await expect(storage.get(key)).rejects.toMatchObject({ kind: 'missing' });
      expect(await leftovers[place]()).toEqual([]);
    }));

  it('removes an object; a second time, it has nothing to do', () =>
    use(async (storage, key) => {
      await storage.put(key, chunks(1));
      await storage.delete(key);
      await storage.delete(key);
      await expect(storage.get(key)).rejects.toMatchObject({ kind: 'missing' });
    }));

  it('lists the objects of one owner', () =>
    use(async (storage) => {
      const keys = ['user_1', 'user_1', 'user_1', 'user_2'].map((owner) => storage.createKey(owner));
      for (const key of keys) await storage.put(key, chunks(1));
      const found = await collect(storage.list(storage.ownerPrefix('user_1')));
      expect(found.map(({ name }) => name)).toEqual(keys.slice(0, 3).sort());
      await expect(collect(storage.list('production/'))).rejects.toMatchObject({ kind: 'missing' });
    }));

  it.each([
    '../../etc/passwd',
    'testing/../../etc/passwd',
    'airlock-environment.json',
    `production/${'a'.repeat(64)}/00000000-0000-4000-8000-000000000000`,
    `testing/${'a'.repeat(64)}/00000000-0000-4000-8000-000000000000/..`,
    `testing/${'a'.repeat(64)}/00000000-0000-4000-8000-00000000000\0`,
    `testing/${'a'.repeat(64)}/00000000-0000-4000-8000-00000000000\u00e9`,
    'testing/user_1/file',
    '',
  ])('has no object for the key %j', (key) =>
    use(async (storage) => {
      await expect(storage.get(key)).rejects.toMatchObject({ kind: 'missing' });
      await expect(storage.put(key, chunks(1))).rejects.toMatchObject({ kind: 'missing' });
      await expect(storage.delete(key)).rejects.toMatchObject({ kind: 'missing' });
    }),
  );

  it('is provisioned once, and refuses another environment', async () => {
    const provision = (environment: 'testing' | 'staging') => provisionStorage(places[place](), options(environment));
    expect((await provision('testing')).result).toBe('stamped');
    expect((await provision('testing')).result).toBe('unchanged');
    await expect(provision('staging')).rejects.toThrow(/is stamped testing; expected the stamp staging\n/);
  });

  it('belongs to the first of two environments that provision it at once', async () => {
    const both = (['testing', 'staging'] as const).map((name) => provisionStorage(places[place](), options(name)));
    const results = await Promise.allSettled(both);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('a key', () => {
  it('has the environment, no text of the user, and is never the same twice', () =>
    withStorage(places['a folder'](), (storage) => {
      const owners = ['user_1', 'user_1', '../../x', 'a/b', '\u00e9', 'x'.repeat(255)];
      const keys = owners.map((owner) => storage.createKey(owner));
      for (const key of keys) expect(key).toMatch(/^testing\/[0-9a-f]{64}\/[0-9a-f-]{36}$/);
      expect(new Set(keys).size).toBe(keys.length);
      expect(new Set(keys.map((key) => key.split('/')[1])).size).toBe(5);
      return Promise.resolve();
    }));
});

describe('a folder in use', () => {
  it('is stamped when it is empty, and refused when it has files and no stamp', async () => {
    await withStorage(places['a folder'](), (storage) => storage.ping());
    expect(await readFile(join(root(), 'airlock-environment.json'), 'utf8')).toBe('{"environment":"testing"}\n');
    await rm(join(root(), 'airlock-environment.json'));
    await writeFile(join(root(), 'note.txt'), 'mine');
    await expect(openStorage(places['a folder'](), options())).rejects.toThrow('holds objects and no stamp');
  });

  it.each(['production', '', 'x'.repeat(2_000)])('is refused with the stamp %j', async (environment) => {
    await mkdir(root());
    await writeFile(join(root(), 'airlock-environment.json'), JSON.stringify({ environment }));
    await expect(openStorage(places['a folder'](), options())).rejects.toThrow(/is stamped/);
  });

  it('follows no link that stands in the place of an object', () =>
    withStorage(places['a folder'](), async (storage) => {
      await writeFile(join(folder, 'outside'), 'secret');
      const key = storage.createKey('user_1');
      const path = join(root(), key.replaceAll('/', '~'));
      await symlink(join(folder, 'outside'), path);
      await expect(storage.get(key)).rejects.toMatchObject({ kind: 'missing' });
      await symlink(join(folder, 'outside'), `${path}.part`);
      await expect(storage.put(key, chunks(1))).rejects.toMatchObject({ kind: 'unavailable' });
      await storage.delete(key);
      await storage.put(key, chunks(1));
      expect(await readFile(join(folder, 'outside'), 'utf8')).toBe('secret');
    }));
});

describe('a bucket in use', () => {
  const use = async (run: (storage: Storage, key: string) => Promise<void>) => {
    await provisionStorage(server.address, options());
    await withStorage(server.address, (storage) => run(storage, storage.createKey('user_1')));
  };

  it('is refused without a stamp, and with that of another environment', async () => {
    await withStorage(server.address, (storage) =>
      expect(storage.put(storage.createKey('u'), chunks(1))).rejects.toThrow(
        'STORAGE_URL: the bucket files on 127.0.0.1',
      ),
    );
    expect(server.objects.size).toBe(0);
    server.objects.set('airlock-environment.json', Buffer.from('{"environment":"production"}'));
    await withStorage(server.address, (storage) => expect(storage.ping()).rejects.toThrow('is stamped production'));
  });

  it('reads the stamp once', () =>
    use(async (storage, key) => {
      const before = server.requests.length;
      await storage.put(key, chunks(1));
      await storage.get(key).then(buffer);
      expect(server.requests.slice(before).filter((line) => line.includes('airlock-environment'))).toHaveLength(1);
    }));

  it('reads the stamp again after the server was unavailable', () =>
    use(async (storage, key) => {
      server.intercept = () => ({ status: 503 });
      await expect(storage.put(key, chunks(1))).rejects.toMatchObject({ kind: 'unavailable' });
      server.intercept = () => undefined;
      await storage.put(key, chunks(1));
    }));

  it('also removes the parts that a killed process left', () =>
    use(async (storage, key) => {
      server.uploads.set('left', { key, parts: new Map([[1, Buffer.alloc(1)]]) });
      server.uploads.set('other', { key: `${key}0`, parts: new Map() });
      await storage.delete(key);
      expect([...server.uploads.keys()]).toEqual(['other']);
    }));

  it('repeats a request that failed', () =>
    use(async (storage, key) => {
      let failures = 0;
      server.intercept = () => (failures++ === 0 ? { status: 500 } : undefined);
      await storage.put(key, chunks(1));
      expect((await storage.get(key).then(buffer)).length).toBe(1);
    }));

  it('stops waiting for a server that never answers', () =>
    use(async (storage, key) => {
      server.intercept = () => 'hang';
      await expect(storage.put(key, chunks(1))).rejects.toMatchObject({ kind: 'unavailable' });
    }));

  it('stops waiting for a server that has stopped', () =>
    use(async (storage) => {
      await server.stop();
      await expect(storage.ping()).rejects.toMatchObject({ kind: 'unavailable' });
      server = await S3Server.start();
    }));

  it.each([
    ['an unknown access key', { accessKey: 'OTHER' }, 'does not know the access key'],
    ['a wrong secret key', { secretKey: new Secret('canary-wrong-secret') }, 'rejects the secret key'],
    ['another bucket', { bucket: 'others' }, 'does not exist'],
  ])('refuses %s without showing a key', async (_, change, problem) => {
    const storage = await openStorage({ ...server.address, ...change }, options());
    const error = (await storage.ping().catch((caught: unknown) => caught)) as Error;
    expect(error).toMatchObject({ kind: 'refused', message: expect.stringContaining(problem) });
    expect(error.message).not.toMatch(/canary|OTHER|AKIA/);
    storage.close();
  });
});

describe.each(Object.keys(places) as (keyof typeof places)[])('%s of backups', (place) => {
  it('is not that of uploads, whichever was stamped first', async () => {
    for (const isForBackups of [true, false]) {
      server.objects.clear();
      await rm(root(), { recursive: true, force: true });
      await provisionStorage(places[place](), { ...options(), isForBackups });
      const other = { ...options(), isForBackups: !isForBackups };
      await expect(provisionStorage(places[place](), other)).rejects.toThrow('holds objects and no stamp');
      const open = isForBackups ? openStorage : openBackupStorage;
      const use = open(places[place](), options()).then(async (opened) => {
        try {
          await opened.ping();
        } finally {
          opened.close();
        }
      });
      await expect(use).rejects.toMatchObject({ kind: 'refused' });
    }
  });

  it('belongs to one environment, and names its variable', async () => {
    await provisionStorage(places[place](), { ...options('staging'), isForBackups: true });
    const opened = openBackupStorage(places[place](), options('production')).then(async (storage) => {
      try {
        await storage.ping();
      } finally {
        storage.close();
      }
    });
    await expect(opened).rejects.toThrow(/^BACKUP_URL: .* is stamped staging; expected the stamp production/);
  });
});

it('a bucket of backups takes large objects in few parts, and waits for a reader that pauses', async () => {
  await provisionStorage(server.address, { ...options(), isForBackups: true });
  const storage = await openBackupStorage(server.address, options());
  await storage.put('dump', chunks(40 * MB));
  expect(server.requests.filter((line) => line.includes('partNumber'))).toHaveLength(2);
  let bytes = 0;
  for await (const chunk of (await storage.get('dump')) as AsyncIterable<Buffer>) {
    if (bytes === 0) await sleep(2 * LIMITS.timeoutMs);
    bytes += chunk.length;
  }
  expect(bytes).toBe(40 * MB);
  storage.close();
});

it('backups of another environment are only read, and only with its stamp', async () => {
  const opened: { close(): void }[] = [];
  const open = async (environment: 'production' | 'staging') => {
    const storage = await openSourceBackups(server.address, options(environment));
    opened.push(storage);
    return storage;
  };
  const problem = 'has no stamp; expected the stamp production\n  set REFRESH_BACKUP_URL to';
  await expect((await open('production')).ping()).rejects.toThrow(problem);
  await provisionStorage(server.address, { ...options('production'), isForBackups: true });
  server.objects.set('dump', Buffer.from('rows'));
  server.requests.length = 0;
  await expect((await open('staging')).get('dump')).rejects.toThrow(
    'is stamped production; expected the stamp staging',
  );
  const storage = await open('production');
  (await storage.get('dump')).destroy();
  const names: string[] = [];
  for await (const { name } of storage.list('d')) names.push(name);
  expect(names).toEqual(['dump']);
  expect(server.requests.filter((line) => !line.startsWith('GET '))).toEqual([]);
  for (const backend of opened) backend.close();
});
