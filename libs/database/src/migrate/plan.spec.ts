import { describe, expect, it } from '@jest/globals';
import type { Environment } from '@airlock/config';
import type { AppliedMigration } from '../runner/ledger.js';
import { defineMigration, type Migration } from '../model/migration.js';
import { MigrationRefusal } from '../model/migration-error.js';
import { planMigrations } from './plan.js';

const first = expand('20260101000000-first');
const second = expand('20260102000000-second');
const third = expand('20260103000000-third');
const dropOld = defineMigration({
  name: '20260104000000-drop-old',
  phase: 'contract',
  completes: second.name,
  statements: ['ALTER TABLE public.t DROP COLUMN old'],
});

describe('planMigrations', () => {
  it('plans what is missing, in order', () => {
    expect(names({ migrations: [first, second, third], applied: [first] })).toEqual([second.name, third.name]);
  });

  it('stops after the given migration', () => {
    expect(names({ migrations: [first, second, third], applied: [first], to: second.name })).toEqual([second.name]);
  });

  it.each<[string, Parameters<typeof names>[0], string]>([
    [
      'an edited migration',
      { migrations: [{ ...first, sha256: 'f'.repeat(64) }, second], applied: [first] },
      `20260101000000-first: edited after it was applied (by commit c0ffee1); expected the statements that ran\n` +
        `  Restore the file, and write the change as a new migration: airlock new migration NAME`,
    ],
    [
      'a missing file',
      { migrations: [second], applied: [first, second] },
      `20260101000000-first: in the database (applied 2026-02-01T00:00:00.000Z by commit c0ffee1) but missing in this code; ` +
        `expected its file\n  Restore libs/model/src/migrations/20260101000000-first.ts from the history.`,
    ],
    [
      'code that is older than the database',
      { migrations: [first], applied: [first, second] },
      `20260102000000-second: in the database (applied 2026-02-01T00:00:00.000Z by commit c0ffee1) but newer than this code; ` +
        `expected code that contains it\n  Run the release that added it, or a later one; migrations are never reverted.`,
    ],
    [
      'a migration older than an applied one',
      { migrations: [first, second, third], applied: [first, third] },
      `20260102000000-second: older than 20260103000000-third, which is already applied; expected a later timestamp\n` +
        `  Give it a new timestamp: airlock new migration NAME, move the statements, delete the old file.`,
    ],
    [
      'two migrations with the same timestamp',
      { migrations: [first, expand('20260101000000-twin')], applied: [] },
      '20260101000000-twin: not later than 20260101000000-first; expected strictly ascending timestamps',
    ],
    [
      'a contract without its expand',
      { migrations: [first, dropOld], applied: [] },
      '20260104000000-drop-old: completes 20260102000000-second; expected the name of an earlier expand',
    ],
    [
      'a --to that is not pending',
      { migrations: [first, second], applied: [first], to: first.name },
      '--to 20260101000000-first: not a pending migration; expected one of airlock db status',
    ],
  ])('refuses %s', (_, options, message) => {
    expect(() => names(options)).toThrow(new MigrationRefusal(message));
  });

  it('reports every problem at once', () => {
    const options = { migrations: [{ ...first, sha256: 'f'.repeat(64) }, second, third], applied: [first, third] };
    expect(() => names(options)).toThrow(/first: edited[\s\S]*second: older/);
  });

  it.each<[Environment, boolean]>([
    ['development', true],
    ['testing', true],
    ['preview', false],
    ['staging', false],
    ['production', false],
  ])('in %s a contract may run together with its expand: %s', (environment, isAllowed) => {
    const plan = () => names({ migrations: [first, second, dropOld], applied: [first], environment });
    if (isAllowed) expect(plan()).toEqual([second.name, dropOld.name]);
    else
      expect(plan).toThrow(
        /completes 20260102000000-second, which would run in the same run[\s\S]*--to 20260102000000-second/,
      );
  });

  it('allows production to stop between the two', () => {
    const migrations = [first, second, dropOld];
    const production = { migrations, environment: 'production' as const };
    expect(names({ ...production, applied: [first], to: second.name })).toEqual([second.name]);
    expect(names({ ...production, applied: [first, second] })).toEqual([dropOld.name]);
  });

  it('migrates an empty production database in one run: there is no release to break', () => {
    const migrations = [first, second, dropOld];
    expect(names({ migrations, applied: [], environment: 'production' })).toHaveLength(3);
  });
});

function expand(name: string): Migration {
  return defineMigration({ name, phase: 'expand', statements: [`ALTER TABLE public.t ADD COLUMN c text`] });
}

interface Case {
  migrations: readonly Migration[];
  applied: readonly Migration[];
  environment?: Environment;
  to?: string;
}

function names({ migrations, applied, environment = 'testing', to }: Case): string[] {
  return planMigrations({ migrations, applied: applied.map(toRow), environment, to }).map(({ name }) => name);
}

function toRow({ name, sha256, phase, completes = null! }: Migration): AppliedMigration {
  const origin = {
    appliedAt: new Date('2026-02-01'),
    durationMs: 1,
    commit: 'c0ffee1',
    imageDigest: null,
    actor: 'ci',
  };
  return { name, sha256, phase, completes, ...origin };
}
