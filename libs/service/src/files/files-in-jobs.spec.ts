import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { z } from 'zod';
import { Database } from '../data/database.js';
import { type Job, job } from '../jobs/job.js';
import { Jobs } from '../jobs/job-sender.js';
import { defineService } from '../testing/define-service.fixture.js';
import { useTestApp } from '../testing/use-test-app.fixture.js';
import { Files } from './files.js';
import { FileStore } from './file-store.js';

const USER = 'user_1';
const folder = mkdtempSync(join(tmpdir(), 'airlock-files-'));
const EXPORT = 'id,name\n1,kettle\n';
const { signal } = new AbortController();

/** Of the next run that comes to this place. */
let fault: { where: 'after store' | 'in the transaction' | 'nowhere'; run: () => void };
const fail = () => {
  throw new Error('fault');
};
const pass = (where: typeof fault.where) => {
  if (fault.where !== where) return;
  fault.where = 'nowhere';
  fault.run();
};
async function* bytes(...texts: string[]) {
  for (const one of texts) yield await Promise.resolve(Buffer.from(one));
}

/** Writes the export of a user every night. */
const writeExport = job({
  name: 'exports.write',
  data: z.strictObject({ ownerId: z.string() }),
  schedule: { cron: '0 3 * * *', timeZone: 'UTC', data: { ownerId: USER } },
  retryDelaySeconds: 0,
  run: async ({ data: { ownerId }, database, finish, get, signal }) => {
    const files = get(Files);
    const content = bytes(...EXPORT.split(/(?<=\n)/));
    const file = await files.store({ ownerId, name: '../parcels.csv', mediaType: 'text/csv', content, signal });
    pass('after store');
    await database.asUser(ownerId, async (tx) => {
      await files.keep(tx, file);
      const values = [ownerId, file.key, file.name, file.bytes, file.sha256];
      await tx.query('INSERT INTO exports (owner_id, key, name, bytes, sha256) VALUES ($1, $2, $3, $4, $5)', values);
      await finish(tx);
      pass('in the transaction');
    });
  },
});

/** Removes the old exports of all users every night, and keeps a file with their contents. */
const removeOld = job({
  name: 'exports.remove-old',
  data: z.strictObject({}),
  schedule: { cron: '0 4 * * *', timeZone: 'UTC', data: {} },
  retries: 0,
  run: async ({ database, finish, get, signal }) => {
    const files = get(Files);
    const where = `WHERE added_at < now() - interval '7 days'`;
    const found = await database.asSystem('read old exports', (tx) =>
      tx.query<{ key: string }[]>(`SELECT key FROM exports ${where}`),
    );
    const contents = await Promise.all(found.map(async (row) => text(await files.read(row))));
    const content = bytes('removed ', ...contents);
    const note = await files.store({ ownerId: 'system', name: 'a.txt', mediaType: 'text/plain', content, signal });
    await database.asSystem('remove old exports', async (tx) => {
      for (const row of found) await files.remove(tx, row);
      await tx.query('DELETE FROM exports WHERE key = ANY ($1)', [found.map(({ key }) => key)]);
      await files.keep(tx, note);
      await tx.query(`INSERT INTO exports (owner_id, key) VALUES ('system', $1)`, [note.key]);
      await finish(tx);
      pass('in the transaction');
    });
  },
});

@Module({})
class EmptyModule {}

describe('a job that uses files', () => {
  const app = useTestApp(
    { ...defineService(EmptyModule), jobs: [writeExport, removeOld] },
    { configure: (config) => ({ ...config, storage: { kind: 'folder', path: folder } }) },
  );
  const query = <T extends object>(sql: string) => app.database.query<T>(sql);
  beforeAll(async () => {
    for (const sql of [
      `CREATE TABLE exports (owner_id text, key text, name text, bytes int, sha256 text, added_at timestamptz DEFAULT now())`,
      `CREATE POLICY exports_owner ON exports USING (owner_id = current_setting('app.user_id', true))`,
      `CREATE POLICY exports_system ON exports TO airlock_system USING (true) WITH CHECK (true)`,
      'ALTER TABLE exports ENABLE ROW LEVEL SECURITY',
      'GRANT SELECT, INSERT, DELETE ON exports TO PUBLIC',
    ])
      await query(sql);
  });
  beforeEach(async () => {
    fault = { where: 'nowhere', run: () => {} };
    await query('TRUNCATE exports, ops.files_to_remove');
    for (const name of await stored()) await rm(join(folder, name));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const stored = async () => (await readdir(folder)).filter((name) => !name.endsWith('.json'));
  const rows = () => query<{ key: string }>('SELECT * FROM exports');
  const listed = () => query<{ isDue: boolean }>('SELECT remove_after <= now() AS "isDue" FROM ops.files_to_remove');
  const run = async (declared: Job, data: object) => {
    await app.app.nest.get(Database).asSystem('spec', (tx) => app.app.nest.get(Jobs).send(tx, declared, data));
    return (await app.runJobs()).map(({ outcome }) => outcome);
  };
  const age = () => query(`UPDATE exports SET added_at = now() - interval '8 days'`);
  const sweep = () => app.app.nest.get(FileStore).sweep();

  it('stores a file, and keeps it with its row', async () => {
    expect(await run(writeExport, { ownerId: USER })).toEqual(['done']);
    expect(await rows()).toEqual([
      {
        ...{ owner_id: USER, key: expect.any(String), name: '.._parcels.csv', bytes: EXPORT.length },
        ...{ sha256: createHash('sha256').update(EXPORT).digest('hex'), added_at: expect.anything() },
      },
    ]);
    const [row = { key: '' }] = await rows();
    expect(await text(await app.app.nest.get(Files).read(row))).toBe(EXPORT);
    expect([(await stored()).length, await listed()]).toEqual([1, []]);
  });

  it('reads, removes and keeps files of all users as the system', async () => {
    for (const ownerId of [USER, 'user_2']) await run(writeExport, { ownerId });
    await age();
    await run(writeExport, { ownerId: USER });
    expect(await run(removeOld, {})).toEqual(['done']);
    expect((await rows()).length).toBe(2);
    expect([(await stored()).length, await listed()]).toEqual([4, [{ isDue: true }, { isDue: true }]]);
    await sweep();
    expect([(await stored()).length, await listed()]).toEqual([2, []]);
    const note = (await rows()).find((row) => 'owner_id' in row && row.owner_id === 'system') ?? { key: '' };
    expect(await text(await app.app.nest.get(Files).read(note))).toBe(`removed ${EXPORT}${EXPORT}`);
  });

  it.each(['after store', 'in the transaction'] as const)(
    'keeps one file if its first run fails %s, and removes the other within two hours',
    async (where) => {
      fault = { where, run: fail };
      expect(await run(writeExport, { ownerId: USER })).toEqual(['failed']);
      while ((await app.runJobs()).length === 0) await sleep(50);
      expect([(await rows()).length, (await stored()).length, await listed()]).toEqual([1, 2, [{ isDue: false }]]);
      await sweep();
      expect((await stored()).length).toBe(2);
      await query(`UPDATE ops.files_to_remove SET remove_after = remove_after - interval '1 hour'`);
      await sweep();
      const [{ key } = { key: '' }] = await rows();
      expect([await stored(), await listed()]).toEqual([[key.replaceAll('/', '~')], []]);
    },
  );

  it('removes nothing if the transaction of the system is rolled back', async () => {
    await run(writeExport, { ownerId: USER });
    await age();
    fault = { where: 'in the transaction', run: fail };
    expect(await run(removeOld, {})).toEqual(['dead']);
    await sweep();
    const [{ key } = { key: '' }] = await rows();
    expect(await stored()).toContain(key.replaceAll('/', '~'));
  });

  it('cannot store inside of a transaction, which could be rolled back', async () => {
    const file = { ownerId: USER, name: 'a', mediaType: 'text/csv', content: bytes('a'), signal };
    const store = () => app.app.nest.get(Files).store(file);
    await expect(app.app.nest.get(Database).asUser(USER, store)).rejects.toThrow(
      'files.store was called inside of a transaction; expected it before the transaction, and files.keep in it',
    );
    expect([await stored(), await listed()]).toEqual([[], []]);
  });

  it('leaves nothing when it is aborted, or when its content fails', async () => {
    const control = new AbortController();
    const content = (async function* () {
      yield await Promise.resolve(Buffer.from('a'));
      control.abort(new Error('aborted'));
      yield Buffer.from('b');
    })();
    const failing = (async function* () {
      yield await Promise.resolve(Buffer.from('a'));
      fail();
    })();
    const file = { ownerId: USER, name: 'a', mediaType: 'text/csv' };
    const files = app.app.nest.get(Files);
    await expect(files.store({ ...file, content, signal: control.signal })).rejects.toThrow('abort');
    await expect(files.store({ ...file, content: failing, signal })).rejects.toThrow('fault');
    for (let i = 0; i < 100 && (await listed()).length > 0; i += 1) await sleep(20);
    expect([await stored(), await listed()]).toEqual([[], []]);
  });
});
