import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { defineBackfill, defineMigration, type Migration } from '@airlock/database/model';
import { sampleModel } from '@airlock/database/sample';
import { describeFinding, lintMigrations } from './lint.js';

const addLabel = defineMigration({
  name: '29990101000000-add-label',
  phase: 'expand',
  statements: ['ALTER TABLE public.parcels ADD COLUMN label text'],
});
const requireLabel = (backfills: string[]) =>
  defineMigration({
    name: '29990102000000-require-label',
    phase: 'expand',
    backfills,
    statements: [
      'ALTER TABLE public.parcels ADD CONSTRAINT parcels_label_filled CHECK (label IS NOT NULL) NOT VALID',
      'ALTER TABLE public.parcels VALIDATE CONSTRAINT parcels_label_filled',
    ],
  });
const dropName = (backfills: string[]) =>
  defineMigration({
    name: '29990103000000-drop-name',
    phase: 'contract',
    completes: addLabel.name,
    backfills,
    statements: ['ALTER TABLE public.parcels DROP COLUMN name'],
  });
const note = defineMigration({
  name: '29990104000000-note',
  phase: 'contract',
  completes: addLabel.name,
  statements: [`COMMENT ON TABLE public.parcels IS 'labelled'`],
});
const definition = {
  name: 'fill-label',
  follows: addLabel.name,
  table: 'public.parcels',
  set: { label: 'lower(name)' },
  where: 'label IS NULL',
};

/** The findings about backfills. */
async function lint(added: readonly Migration[], backfill = definition, folder?: URL): Promise<string[]> {
  const { findings } = await lintMigrations({
    ...sampleModel,
    ...(folder ? { folder } : { isAll: true }),
    migrations: [...sampleModel.migrations, addLabel, ...added],
    backfills: [defineBackfill(backfill)],
  });
  return findings.filter(({ rule }) => rule.includes('backfill')).map(describeFinding);
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** Of a release with these migrations: the next lint begins after them, on seeded rows. */
function createRecords(released: readonly Migration[]): URL {
  const folder = mkdtempSync(join(tmpdir(), 'records-'));
  folders.push(folder);
  mkdirSync(join(folder, 'records'));
  const record = Object.fromEntries(released.map(({ name, sha256 }) => [name, sha256]));
  writeFileSync(join(folder, 'records/released.json'), JSON.stringify(record));
  return pathToFileURL(`${folder}/`);
}

describe('lintMigrations', () => {
  it('accepts migrations that name the backfill they need, and runs it before its columns are gone', async () => {
    expect(await lint([requireLabel(['fill-label']), dropName(['fill-label'])])).toEqual([]);
  });

  it('rejects those that validate, drop or complete without it', async () => {
    const findings = await lint([requireLabel([]), dropName([]), note]);
    expect(findings).toEqual([
      `29990102000000-require-label, statement 2: validates parcels_label_filled, which the backfill fill-label of public.parcels fills or reads after ${addLabel.name}; it may not be complete [unnamed-backfill]\n` +
        `  in the migration: backfills: ['fill-label'],\n  it is then refused in each database where that backfill is not complete`,
      expect.stringMatching(/^29990103000000-drop-name, statement 1: drops name, which .* \[unnamed-backfill\]\n/),
      expect.stringMatching(
        /^29990104000000-note: completes 29990101000000-add-label, which the backfill fill-label follows/,
      ),
      // Nothing says that it must run before the column that it reads is dropped.
      expect.stringMatching(/^fill-label: column "name" does not exist; .* \[backfill-does-not-run\]\n  correct/),
    ]);
  });

  it.each([
    ['SET NOT NULL', 'ALTER TABLE public.parcels ALTER COLUMN label SET NOT NULL', 'makes label NOT NULL'],
    [
      'a constraint',
      'ALTER TABLE public.parcels ADD CONSTRAINT named CHECK (label <> name)',
      'adds the constraint named',
    ],
    ['a rename', 'ALTER TABLE public.parcels RENAME COLUMN name TO title', 'renames name'],
    ['a new type', 'ALTER TABLE public.parcels ALTER COLUMN "label" TYPE varchar(9)', 'changes the type of label'],
    ['DROP TABLE', 'DROP TABLE public.parcels', 'drops public.parcels'],
  ])('rejects %s without it', async (_, sql, words) => {
    const migration = defineMigration({ name: '29990102000000-x', phase: 'expand', statements: [sql] });
    expect((await lint([migration])).join()).toContain(`statement 1: ${words}`);
  });

  it('leaves other columns alone', async () => {
    const sql = 'ALTER TABLE public.parcels ALTER COLUMN owner_id TYPE text';
    expect(await lint([defineMigration({ name: '29990102000000-x', phase: 'expand', statements: [sql] })])).toEqual([]);
  });

  it.each([
    ['that does not parse', { set: { label: 'lower(' } }, 'syntax error'],
    ['that leaves rows as they were', { set: { label: 'NULL' } }, 'its change leaves 20 of 20 rows'],
  ])('rejects a backfill %s, on the seeded rows', async (_, change, words) => {
    const folder = createRecords(sampleModel.migrations);
    const [finding = ''] = await lint([], { ...definition, ...change }, folder);
    expect(finding).toContain(words);
    expect(finding).toContain('[backfill-does-not-run]');
  });
});
