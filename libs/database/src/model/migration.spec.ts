import { describe, expect, it } from '@jest/globals';
import { defineMigration, type MigrationDefinition } from './migration.js';

const NAME = '20260101000000-add-note';
const SQL = 'ALTER TABLE public.parcels ADD COLUMN note text';

function define(changes: Partial<MigrationDefinition>) {
  return defineMigration({ name: NAME, phase: 'expand', statements: [SQL], ...changes });
}

describe('defineMigration', () => {
  it.each<[string, Partial<MigrationDefinition>, string]>([
    ['a name without a timestamp', { name: 'add-note' }, 'not a migration name'],
    ['a name that leaves the folder', { name: '20260101000000-../../evil' }, 'not a migration name'],
    ['a month that does not exist', { name: '20261301000000-add-note' }, 'not a valid time'],
    ['capitals', { name: '20260101000000-AddNote' }, 'not a migration name'],
    ['a contract without an expand', { phase: 'contract' }, 'does not name its expand'],
    ['an expand that completes something', { completes: '20250101000000-x' }, 'an expand cannot complete'],
    ['no statements', { statements: [] }, 'no statements'],
    ['two statements outside a transaction', { transaction: false, statements: [SQL, SQL] }, '2 statements outside'],
    ['an unrepeatable statement outside a transaction', { transaction: false }, 'not repeatable'],
    [
      'a concurrent index without IF NOT EXISTS',
      { transaction: false, statements: ['CREATE INDEX CONCURRENTLY note_idx ON public.parcels (note)'] },
      'not repeatable',
    ],
    ['transaction control', { statements: ['COMMIT'] }, 'COMMIT is reserved for the runner'],
    [
      'transaction control behind a comment',
      { statements: ['/* x */ -- y\n rollback'] },
      'ROLLBACK is reserved for the runner',
    ],
  ])('refuses %s', (_, changes, message) => {
    expect(() => define(changes)).toThrow(message);
  });

  it.each([
    'CREATE INDEX CONCURRENTLY IF NOT EXISTS "parcels_Name_idx" ON public.parcels (name)',
    'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "a""b.c d" ON ONLY "My Schema"."Täble$1" (name)',
    'create index concurrently if not exists größe$idx\n  on "public" . "T" ("N")',
    'DROP INDEX CONCURRENTLY IF EXISTS public."parcels_Name_idx"',
    'REINDEX INDEX CONCURRENTLY "Public"."parcels_Name_idx"',
    'VACUUM (ANALYZE) public."Parcels"',
  ])('accepts outside a transaction %s', (sql) => {
    expect(() => define({ transaction: false, statements: [sql] })).not.toThrow();
  });

  it.each([
    ['an unnamed index', 'CREATE INDEX CONCURRENTLY IF NOT EXISTS ON public.t (a)'],
    ['a table without a schema', 'CREATE INDEX CONCURRENTLY IF NOT EXISTS "I" ON "public.T" (a)'],
    ['an index without a schema', 'DROP INDEX CONCURRENTLY IF EXISTS "public.I"'],
    ['a quote that does not end', 'DROP INDEX CONCURRENTLY IF EXISTS public."I'],
    ['a table in place of an index', 'REINDEX TABLE CONCURRENTLY public."T"'],
  ])('refuses outside a transaction %s', (_, sql) => {
    expect(() => define({ transaction: false, statements: [sql] })).toThrow('not repeatable');
  });

  it('gives the same SHA-256 for any indentation and any reasons of exceptions', () => {
    const flat = define({ statements: ['CREATE TABLE public.a (\n  id bigint\n)'] });
    const deep = define({
      statements: [{ sql: '\n      CREATE TABLE public.a (\n        id bigint\n      )', allow: { x: 'y' } }],
    });
    expect(deep.sha256).toBe(flat.sha256);
  });

  it.each<[string, Partial<MigrationDefinition>]>([
    ['a statement', { statements: [`${SQL} NOT NULL`] }],
    ['the name', { name: '20260101000001-add-note' }],
    ['the phase', { phase: 'contract', completes: '20250101000000-x' }],
    ['the order of statements', { statements: [SQL, `${SQL}2`].reverse() }],
  ])('gives another SHA-256 for another %s', (_, changes) => {
    expect(define(changes).sha256).not.toBe(define({ statements: [SQL] }).sha256);
  });

  it('keeps the statements of a baseline as they are, but those of other migrations without their indentation', () => {
    const statements = ['CREATE FUNCTION f() AS $$\n    SELECT 1  \n    $$'];
    expect(define({ statements }).statements).toEqual([{ sql: 'CREATE FUNCTION f() AS $$\nSELECT 1\n$$' }]);
    expect(define({ statements, isBaseline: true }).statements).toEqual([{ sql: statements[0] }]);
  });
});
