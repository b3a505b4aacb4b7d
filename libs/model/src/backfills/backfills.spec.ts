import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { assertBackfillCatalogue } from '@airlock/database/internal';
import { model } from '../model.js';

describe('backfills', () => {
  it('lists every file of the folder, by the name of the file', () => {
    const files = readdirSync(new URL('backfills/', model.folder)).filter((file) => !/^index\.|\.spec\./.test(file));
    expect(model.backfills.map(({ name }) => `${name}.ts`).sort()).toEqual(files.sort());
  });

  it('follow expands, and exist where a migration names them', () => {
    expect(() => assertBackfillCatalogue(model.migrations, model.backfills)).not.toThrow();
  });
});
