import { describe, expect, it } from '@jest/globals';
import type { DeploymentRecord, StagedRehearsal } from '../release/release-record.js';
import type { Preflight } from './preflight.js';
import { assertRehearsed, listRehearsals } from './rehearsals.js';

const HOUR_MS = 3_600_000;
const now = Date.parse('2026-11-28T12:00:00Z');
const good: StagedRehearsal = {
  rehearsedAt: '2026-11-28T11:00:00Z',
  refreshedAt: '2026-11-27T12:00:00Z',
  serverMajor: 18,
  longestWaitMs: 12,
  isWithinBudget: true,
};
const found = (pending: readonly string[], serverMajor = 18) => ({ pending, status: { serverMajor } }) as Preflight;
const check = (rehearsals: DeploymentRecord['rehearsals'], serverMajor?: number, pending = ['add-nickname']) =>
  assertRehearsed(found(pending, serverMajor), {
    staged: { rehearsals } as DeploymentRecord,
    withinMs: 24 * HOUR_MS,
    now,
  });

describe('assertRehearsed', () => {
  it('accepts a rehearsal on rows of the highest age, and a release without pending migrations', () => {
    expect(() => check({ 'add-nickname': good })).not.toThrow();
    expect(() => check(undefined, 18, [])).not.toThrow();
  });

  it.each<[string, DeploymentRecord['rehearsals'], number, string]>([
    ['of a record without any', undefined, 18, 'add-nickname: was not rehearsed before staging ran it'],
    ['of another migration', { 'add-name': good }, 18, 'add-nickname: was not rehearsed'],
    ['on older rows', { 'add-nickname': { ...good, refreshedAt: '2026-11-27T11:54:00Z' } }, 18, ', 24.1 h ago'],
    ['at an unreadable time', { 'add-nickname': { ...good, refreshedAt: 'soon' } }, 18, 'on rows of soon'],
    ['on another server', { 'add-nickname': good }, 19, 'was rehearsed on PostgreSQL 18, and the server here is 19'],
    [
      'over budget',
      { 'add-nickname': { ...good, longestWaitMs: 2_345.6, isWithinBudget: false } },
      18,
      'exceeded a budget, and other sessions waited up to 2346 ms',
    ],
  ])('refuses a rehearsal %s, with the command that makes one', (_what, rehearsals, major, problem) => {
    expect(() => check(rehearsals, major)).toThrow(problem);
    expect(() => check(rehearsals, major)).toThrow(
      /at most 24 h old\n.*airlock db refresh.*\n.*airlock db migrate --rehearse/,
    );
  });

  it('names each migration that lacks one', () => {
    expect(() => check({}, 18, ['one', 'two'])).toThrow(/one: was not .*\ntwo: was not/);
  });
});

describe('listRehearsals', () => {
  it('has the migrations that were rehearsed, whether they are applied by now or not', () => {
    const migrations = [
      { name: 'one', phase: 'expand', state: 'applied', rehearsal: good },
      { name: 'two', phase: 'expand', state: 'pending' },
    ] as const;
    const status = { environment: 'staging', migrations, verdict: { state: '', isServing: true, reasons: [] } };
    expect(listRehearsals(status)).toEqual({ one: good });
  });
});
