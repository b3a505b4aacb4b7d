import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { withClient, createSessionConfig } from '@airlock/database/internal';
import { defineMigration, type Migration } from '@airlock/database/model';
import { sampleModel } from '@airlock/database/sample';
import { copyFolder, startCluster, createOwnedFolder, chooseStorageFolder } from '@airlock/embedded-postgres';
import { nameTemplate } from '../clones/database-name.js';
import type { TemplateModel } from '../clones/template.js';
import { ensureCachedFolder, hashTemplate } from './template-cache.js';

const LIMIT_MS = 120_000;
const addNote = (type: string): Migration =>
  defineMigration({
    name: '20990101000000-add-note',
    phase: 'expand',
    statements: [`CREATE TABLE public.spec_notes (note ${type})`],
  });

const extend = (...added: Migration[]) => ({ ...sampleModel, migrations: [...sampleModel.migrations, ...added] });

let folder: string;
let owned: string;
let storage: string;

beforeEach(async () => {
  owned = createOwnedFolder(chooseStorageFolder(existsSync('/dev/shm') ? 'memory' : 'disk'), 'spec');
  // PostgreSQL may run as another user, who needs to pass through.
  await chmod(owned, 0o711);
  storage = join(owned, 'storage');
  await mkdir(storage);
  folder = join(storage, 'templates');
  await mkdir(folder);
});

afterEach(() => rm(owned, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));

describe('the name of a template', () => {
  const withNote = (type: string) => hashTemplate(extend(addNote(type)));

  it('stays while nothing changes', () => {
    expect(hashTemplate(extend())).toBe(hashTemplate(sampleModel));
  });

  it('changes with another migration, and with an edit of one', () => {
    expect(new Set([hashTemplate(sampleModel), withNote('text'), withNote('integer')]).size).toBe(3);
  });
});

describe('the cache of migrated data folders', () => {
  it(
    'is used again while nothing changes, and recreated from a changed migration',
    async () => {
      const edited = extend(addNote('integer'));
      const first = await ensureCachedFolder(storage, { folder, model: extend(addNote('text')) });
      const { ino } = statSync(first);
      const second = await ensureCachedFolder(storage, { folder, model: edited });
      const again = await ensureCachedFolder(storage, { folder, model: edited });
      expect(second).not.toBe(first);
      expect(again).toBe(second);
      expect(statSync(first).ino).toBe(ino);
      expect(await readNoteType(second, edited)).toBe('integer');
      expect(readdirSync(storage)).toEqual(['templates']);
    },
    LIMIT_MS,
  );

  it(
    'keeps only the three that were used last, and removes nothing else',
    async () => {
      const old = ['0', '1', '2', '3'].map((digit) => digit.repeat(16));
      for (const [index, name] of old.entries()) {
        await mkdir(join(folder, name));
        utimesSync(join(folder, name), index + 1, index + 1);
      }
      await mkdir(join(folder, 'of-other-else'));
      const cached = await ensureCachedFolder(storage, { folder, model: sampleModel });
      expect(readdirSync(folder).sort()).toEqual(
        [old[2], old[3], cached.slice(folder.length + 1), 'of-other-else'].sort(),
      );
    },
    LIMIT_MS,
  );
});

async function readNoteType(cached: string, model: TemplateModel): Promise<string | undefined> {
  const dataDir = join(storage, 'copy');
  await copyFolder(cached, dataDir);
  const cluster = await startCluster({ dataDir, durable: false });
  try {
    const context = { config: createSessionConfig('testing'), purpose: 'cache-spec' };
    const template = nameTemplate(hashTemplate(model));
    await withClient(cluster.superuser, context, (client) =>
      client.query(`ALTER DATABASE ${template} ALLOW_CONNECTIONS true`),
    );
    return await withClient({ ...cluster.superuser, database: template }, context, async (client) => {
      const { rows } = await client.query<{ type: string }>(
        `SELECT data_type AS type FROM information_schema.columns WHERE table_name = 'spec_notes'`,
      );
      return rows[0]?.type;
    });
  } finally {
    await cluster.stop();
  }
}
