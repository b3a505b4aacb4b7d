import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { assertCatalogue } from '@airlock/database/internal';
import { lintMigrations, loadReleased } from '@airlock/database-dev/migration-checks';
import { model } from '../model.js';

const { migrations } = model;

describe('migrations', () => {
  it('lists every file of the folder, by the name of the file', () => {
    const files = readdirSync(new URL('migrations/', model.folder)).filter((file) => /^\d.*\.ts$/.test(file));
    expect(migrations.map(({ name }) => `${name}.ts`)).toEqual(files.sort());
  });

  it('forms a history: names ascend and each contract completes an expand', () => {
    expect(() => assertCatalogue(migrations)).not.toThrow();
  });

  it('does not change migrations of a release', () => {
    const now = Object.fromEntries(migrations.map(({ name, sha256 }) => [name, sha256]));
    expect(now).toMatchObject(loadReleased(model));
  });

  it('has no findings of the linter', async () => {
    expect((await lintMigrations({ ...model, isAll: true })).findings).toEqual([]);
  });
});
