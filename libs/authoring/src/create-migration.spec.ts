import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as prettier from 'prettier';
import { createMigration } from './create-migration.js';

const EMPTY = `import type { Migration } from '@airlock/database/model';\n\nexport const migrations: readonly Migration[] = [];\n`;
const NOW = new Date('2026-03-04T05:06:07Z');
let root: string;
let folder: URL;
let index: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'model-'));
  folder = pathToFileURL(`${root}/`);
  mkdirSync(join(root, 'migrations'));
  index = join(root, 'migrations/index.ts');
  writeFileSync(index, EMPTY);
});
afterEach(() => rmSync(root, { recursive: true }));

describe('createMigration', () => {
  it('writes the file and adds it to the list, in order', () => {
    createMigration({ name: 'add-nickname', folder, now: NOW });
    const path = createMigration({ name: 'drop-name', completes: '20260304050607-add-nickname', folder, now: NOW });
    expect(readFileSync(path, 'utf8')).toBe(
      `import { defineMigration } from '@airlock/database/model';

export const dropName = defineMigration({
  name: '20260304050608-drop-name',
  phase: 'contract',
  completes: '20260304050607-add-nickname',
  statements: [\`ALTER TABLE public.table ADD COLUMN name text\`],
});
`,
    );
    expect(readFileSync(index, 'utf8')).toBe(
      `import type { Migration } from '@airlock/database/model';
import { addNickname } from './20260304050607-add-nickname.js';
import { dropName } from './20260304050608-drop-name.js';

export const migrations: readonly Migration[] = [addNickname, dropName];
`,
    );
  });

  it.each([
    ['short names', { name: 'a' }],
    ['the longest names', { name: 'a-name-that-is-as-long-as-a-name-may-be-and-no-longer-at' }],
    ['contracts', { name: 'drop-it', completes: '20260304050607-first' }],
    ['single statements', { name: 'add-index', isAlone: true }],
  ])('formats both files like Prettier, for any length of the list: %s', async (_, migration) => {
    const options = await prettier.resolveConfig(fileURLToPath(import.meta.url));
    createMigration({ name: 'first', folder, now: NOW });
    const files = [index];
    for (let count = 101; count <= 112; count += 1) {
      files.push(createMigration({ ...migration, name: `${migration.name}-${count}`, folder, now: NOW }));
      for (const filepath of [files[0], files.at(-1)]) {
        const text = readFileSync(filepath ?? '', 'utf8');
        expect(await prettier.format(text, { ...options, filepath })).toBe(text);
      }
    }
  });

  it('uses a later timestamp than the last migration, even if the clock is slow', () => {
    createMigration({ name: 'first', folder, now: NOW });
    expect(createMigration({ name: 'second', folder, now: new Date('2020-01-01') })).toMatch(
      '20260304050608-second.ts',
    );
  });

  it.each([
    '../../etc/passwd',
    'a/b',
    "x'; process.exit(1); '",
    '${process.exit(1)}',
    'add nickname',
    'Add-Nickname',
    'add_nickname',
    '-add',
    'add-',
    '1st',
    '',
    'add\nname',
    'add\0name',
    'имя',
    'a'.repeat(61),
  ])('refuses %j and writes nothing', (name) => {
    expect(() => createMigration({ name, folder, now: NOW })).toThrow(
      'is not a valid migration name; expected kebab-case',
    );
    expect(readdirSync(join(root, 'migrations'))).toEqual(['index.ts']);
    expect(readFileSync(index, 'utf8')).toBe(EMPTY);
  });

  it.each(['delete', 'await', 'eval', 'define-migration'])(
    'rejects %s, which cannot be a variable of the file',
    (name) => {
      expect(() => createMigration({ name, folder, now: NOW })).toThrow('is a reserved word; expected another name');
      expect(readFileSync(index, 'utf8')).toBe(EMPTY);
    },
  );

  it('rejects a name that exists, and a contract of an unknown expand', () => {
    createMigration({ name: 'add-nickname', folder, now: NOW });
    expect(() => createMigration({ name: 'add-nickname', folder })).toThrow('a migration addNickname already exists');
    expect(() => createMigration({ name: 'x', completes: 'y', folder })).toThrow('--contract y: no such migration');
  });
});
