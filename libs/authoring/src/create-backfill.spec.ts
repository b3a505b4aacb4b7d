import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as prettier from 'prettier';
import { defineMigration } from '@airlock/database/model';
import { createBackfill } from './create-backfill.js';

const REAL = new URL('../../model/src/backfills/index.ts', import.meta.url);
const migrations = [
  defineMigration({ name: '20260101000000-add-nickname', phase: 'expand', statements: ['SELECT 1'] }),
  defineMigration({ name: '20260102000000-add-surname', phase: 'expand', statements: ['SELECT 1'] }),
];
let root: string;
let folder: URL;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'model-'));
  folder = pathToFileURL(`${root}/`);
  mkdirSync(join(root, 'backfills'));
  writeFileSync(
    join(root, 'backfills/index.ts'),
    `import type { Backfill } from '@airlock/database/model';\n\nexport const backfills: readonly Backfill[] = [];\n`,
  );
});
afterEach(() => rmSync(root, { recursive: true }));

describe('createBackfill', () => {
  it('writes the file and adds it to the list, both formatted', async () => {
    const path = createBackfill({ name: 'fill-surname', folder, migrations });
    createBackfill({ name: 'fill-nickname', folder, migrations, follows: '20260101000000-add-nickname' });
    expect(readFileSync(path, 'utf8')).toContain(`name: 'fill-surname',\n  follows: '20260102000000-add-surname',`);
    const index = join(root, 'backfills/index.ts');
    expect(readFileSync(index, 'utf8')).toBe(
      `import type { Backfill } from '@airlock/database/model';
import { fillSurname } from './fill-surname.js';
import { fillNickname } from './fill-nickname.js';

export const backfills: readonly Backfill[] = [fillSurname, fillNickname];
`,
    );
    const options = await prettier.resolveConfig(fileURLToPath(import.meta.url));
    for (const filepath of [path, index]) {
      const text = readFileSync(filepath, 'utf8');
      expect(await prettier.format(text, { ...options, filepath })).toBe(text);
    }
  });

  it('knows the list of the model', () => {
    expect(readFileSync(REAL, 'utf8')).toMatch(/^export const backfills: readonly Backfill\[\] = \[/m);
  });

  it.each([
    [{ name: '../x' }, 'is not a valid backfill name'],
    [{ name: 'backfills' }, 'already exists'],
    [{ name: 'define-backfill' }, 'is a reserved word'],
    [{ name: 'x', follows: '20260101000000-y' }, '--follows 20260101000000-y: no such expand'],
  ])('refuses %j and writes nothing', (wrong, message) => {
    expect(() => createBackfill({ folder, migrations, ...wrong })).toThrow(message);
    expect(readdirSync(join(root, 'backfills'))).toEqual(['index.ts']);
  });

  it('refuses a name that exists', () => {
    createBackfill({ name: 'fill-surname', folder, migrations });
    expect(() => createBackfill({ name: 'fill-surname', folder, migrations })).toThrow('already exists');
  });
});
