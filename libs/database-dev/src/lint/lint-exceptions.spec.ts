import { beforeAll, describe, expect, it } from '@jest/globals';
import { defineMigration } from '@airlock/database/model';
import { OUR_RULES } from './lint-exceptions.js';
import { sampleModel } from '@airlock/database/sample';
import { lintMigrations, type LintReport } from './lint.js';

const REASON = 'a reason that is long enough for every reviewer';
/** Allows all of our rules except the given ones. */
const allowAll = (...except: string[]) =>
  Object.fromEntries(OUR_RULES.filter((rule) => !except.includes(rule)).map((rule) => [rule, REASON]));

/** Each statement is allowed everything except the finding that it must cause. */
const CASES: readonly [title: string, sql: string, found: string][] = [
  [
    'a check of a column that is missing',
    'ALTER TABLE public.things ADD CONSTRAINT c CHECK (nope > 1)',
    'does-not-run',
  ],
  ['a type that is missing', 'ALTER TABLE public.things ADD COLUMN c public.nope', 'does-not-run'],
  ['a rename of a column that is missing', 'ALTER TABLE public.things RENAME COLUMN nope TO b', 'does-not-run'],
  ['a drop of a table that is missing', 'DROP TABLE public.nope', 'does-not-run'],
  ['an update that a constraint refuses', `UPDATE public.things SET version = -1`, 'does-not-run'],
  ['an index on a column that is missing', 'CREATE INDEX e_idx ON public.things (nope)', 'does-not-run'],
  ['a required column without a default', 'ALTER TABLE public.things ADD COLUMN c text NOT NULL', 'does-not-run'],
  ['a DO block that fails', `DO $$ BEGIN EXECUTE 'DROP TABLE public.nope'; END $$`, 'does-not-run'],
  [
    'a concurrent index in a transaction',
    'CREATE INDEX CONCURRENTLY IF NOT EXISTS e_idx ON public.things (name)',
    'concurrently-in-transaction',
  ],
  ['a text that is not SQL', 'ALTR TABLE public.things', 'unreadable'],
  ['two statements in one text', 'SELECT 1; SELECT 2', 'unreadable'],
];

const TRACED: readonly [title: string, sql: string, allowed: string, found: string][] = [
  [
    'a rewrite beside an allowed check',
    'ALTER TABLE public.things ADD CONSTRAINT c1 CHECK (version > 0), ALTER COLUMN version TYPE bigint',
    'add-check',
    'change-column-type',
  ],
  [
    'a rewrite in an allowed DO block',
    'DO $$ BEGIN ALTER TABLE public.things ALTER COLUMN version TYPE numeric; END $$',
    'do-block',
    'rewrites-table',
  ],
  [
    'a scan in an allowed DO block',
    'DO $$ BEGIN ALTER TABLE public.things ADD CONSTRAINT c2 CHECK (version > 0); END $$',
    'do-block',
    'scans-table',
  ],
  [
    'a lock in an allowed DO block',
    'DO $$ BEGIN LOCK TABLE public.things IN SHARE MODE; END $$',
    'do-block',
    'hidden-lock',
  ],
  [
    'changed rows in an allowed DO block',
    `DO $$ BEGIN UPDATE public.things SET name = 'x'; END $$`,
    'do-block',
    'hidden-change',
  ],
  [
    'a setting in an allowed DO block',
    `DO $$ BEGIN PERFORM set_config('lock_timeout', '0', true); END $$`,
    'do-block',
    'session-setting',
  ],
  ['a drop in an allowed DO block', 'DO $$ BEGIN DROP TABLE public.things; END $$', 'do-block', 'hidden-lock'],
];

const createThings = defineMigration({
  name: '29980101000000-create-things',
  phase: 'expand',
  statements: [
    'CREATE TABLE public.things (id bigint PRIMARY KEY, name text, version integer CHECK (version > 0))',
    `INSERT INTO public.things SELECT n, 'n', 1 FROM generate_series(1, 10) n`,
  ],
});

describe('an exception', () => {
  let report: LintReport;

  beforeAll(async () => {
    const define = (index: number, sql: string, allow: Record<string, string>) =>
      defineMigration({
        name: `2999010100${String(index).padStart(4, '0')}-case`,
        phase: 'expand',
        statements: [{ sql, allow }],
      });
    const cases = [
      ...CASES.map(([, sql], index) => define(index, sql, allowAll())),
      ...TRACED.map(([, sql, allowed], index) => define(100 + index, sql, { [allowed]: REASON })),
    ];
    report = await lintMigrations({
      ...sampleModel,
      isAll: true,
      migrations: [...sampleModel.migrations, createThings, ...cases],
    });
  }, 180_000);

  const found = (index: number) =>
    report.findings
      .filter(
        ({ migration, statement }) =>
          migration.startsWith(`2999010100${String(index).padStart(4, '0')}`) && statement === 0,
      )
      .map(({ rule }) => rule);

  it.each(CASES.map(([title, , rule], index) => [title, rule, index] as const))(
    'of every rule does not hide %s',
    (_, rule, index) => {
      expect(found(index).filter((name) => name !== 'unused-exception')).toEqual([rule]);
    },
  );

  it.each(TRACED.map(([title, , , rule], index) => [title, rule, index] as const))(
    'of one rule does not hide %s',
    (_, rule, index) => {
      expect(found(100 + index)).toContain(rule);
    },
  );
});
