import { describe, expect, it } from '@jest/globals';
import { defineMigration, type Migration } from '../model/migration.js';
import { judgeSchema, schemaRange } from './schema-range.js';

const first = define('20260101000000-first');
const addNew = define('20260102000000-add-new');
const dropOld = define('20260103000000-drop-old', addNew.name);
const later = define('20260104000000-later');

describe('judgeSchema', () => {
  it.each<[string, Migration[], Migration[], string, boolean]>([
    ['the same history', [first, addNew], [first, addNew], 'ready', true],
    ['an empty database', [first], [], 'behind', false],
    ['a missing expand', [first, addNew], [first], 'behind', false],
    ['a contract that is still to come', [first, addNew, dropOld], [first, addNew], 'ready', true],
    ['an expand of a later release', [first], [first, addNew], 'ahead', true],
    ['a later contract of an expand that this code contains', [first, addNew], [first, addNew, dropOld], 'ahead', true],
    [
      'a later contract of an expand that this code does not contain',
      [first],
      [first, addNew, dropOld],
      'incompatible',
      false,
    ],
    ['behind and ahead at once', [first, addNew], [first, later], 'behind', false],
    ['an edited migration', [{ ...first, sha256: 'f'.repeat(64) }], [first], 'incompatible', false],
  ])('judges %s', (_, code, applied, state, isServing) => {
    const rows = applied.map((migration) => ({ ...migration, completes: migration.completes ?? null }));
    expect(judgeSchema(rows, code)).toMatchObject({ state, isServing });
  });

  it('names missing and unexpected migrations', () => {
    expect(judgeSchema([], [first]).reasons).toEqual(['20260101000000-first is not applied']);
    expect(
      judgeSchema(
        [first, addNew, dropOld].map((m) => ({ ...m, completes: m.completes ?? null })),
        [first],
      ),
    ).toEqual({
      state: 'incompatible',
      isServing: false,
      reasons: ['20260103000000-drop-old removed what this code uses'],
    });
  });
});

describe('schemaRange', () => {
  it('needs the last expand and knows the last migration', () => {
    expect(schemaRange([first, addNew, dropOld])).toEqual({ needs: addNew.name, knows: dropOld.name });
  });
});

function define(name: string, completes?: string): Migration {
  const statements = ['ALTER TABLE public.t ADD COLUMN c text'];
  return completes === undefined
    ? defineMigration({ name, phase: 'expand', statements })
    : defineMigration({ name, phase: 'contract', completes, statements });
}
