import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { withDrafts } from './draft-folder.fixture.js';
import { lintFiles } from './lint-files.js';
import type { LintReport } from './lint.js';

const SOUND = 'ALTER TABLE public.t ADD COLUMN b text;\n';
const BAD = 'ALTER TABLE public.t ADD CONSTRAINT t_a CHECK (a > 0);\n';

const BROKEN = {
  syntax: ['SELECT 1;\n\nALTR TABLE x;\n', 'syntax error at or near "ALTR", in line 3'],
  'open-quote': [
    `SELECT 1;\nSELECT 'never closed;\n`,
    'unterminated quoted string at or near "\'never closed;\n", in line 2',
  ],
  'umlaut-syntax': ["SELECT 'ä€😀';\nALTR TABLE x;\n", 'syntax error at or near "ALTR", in line 2'],
  control: [`${SOUND}COMMIT;\n`, 'COMMIT is reserved for the runner'],
  latin1: [Buffer.from("SELECT 1;\nSELECT 'caf\xe9';\n", 'latin1'), 'invalid UTF-8, in line 2'],
  utf16: [Buffer.from('\ufeffSELECT 1;', 'utf16le'), 'invalid UTF-8, in line 1'],
  nul: ['SELECT 1;\n\0DROP TABLE public.t;\n', 'NUL character, in line 2'],
  empty: ['', 'no statement; expected at least one'],
  comments: ['-- phase: expand\n-- later\n', 'no statement; expected at least one'],
  large: [
    `INSERT INTO public.t VALUES ${Array(600_000).fill('(1, NULL, 10)').join(',\n')};`,
    'expected at most 1048576',
  ],
  nested: [`SELECT ${'('.repeat(50_000)}1${')'.repeat(50_000)};`, 'memory exhausted at or near "("'],
  phase: [`-- phase: contrct\n${SOUND}`, 'the phase is "contrct"; expected expand or contract'],
  transaction: [`-- transaction: no\n${SOUND}`, 'transaction is "no"; expected true or false'],
  suicide: ['RESET ROLE;\nSELECT pg_terminate_backend(pg_backend_pid());\n', 'terminat'],
} satisfies Record<string, [string | Buffer, string]>;

describe('lintFiles', () => {
  let report: LintReport;

  beforeAll(async () => {
    const texts = Object.entries(BROKEN).map(([name, [content]]) => [`${name}.sql`, content] as const);
    const files = {
      ...Object.fromEntries(texts),
      'schema.sql': 'CREATE TABLE public.t (id bigint PRIMARY KEY, a integer, c integer);\n',
      'folder.sql/': '',
      'a-sound.sql': SOUND,
      'z-sound.sql': SOUND,
      'z-bad.sql': BAD,
      'Y-CAPITALS.SQL': BAD,
      'y-mixed.Sql': BAD,
      'z-crlf.sql': BAD.replace('t_a ', 't_a\r\n').replaceAll('\n', '\r\n'),
      'z-bom.sql': `\ufeff${BAD}`,
      'z-words-in-a-string.sql': `SELECT '\n-- phase: contract\n-- completes: x\n-- allow drop-table: the words of a string allow nothing';\nDROP TABLE public.t;\n`,
      'z-fails-then-goes-on.sql': `ALTER TABLE public.gone ADD COLUMN a text;\nALTER TABLE public.t ADD COLUMN d text;\nUPDATE public.t SET d = 'x' WHERE id = 1;\n`,
      'z-after.sql': 'ALTER TABLE public.t DROP COLUMN d;\n',
    };
    report = await withDrafts(files, async (folder) => {
      symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling.sql'));
      symlinkSync('/dev/zero', join(folder, 'device.sql'));
      execFileSync('mkfifo', [join(folder, 'pipe.sql')]);
      return lintFiles(folder);
    });
  }, 180_000);

  const findings = (name: string) => report.findings.filter(({ migration }) => migration === name);
  const rules = (name: string) => findings(name).map(({ rule }) => rule);

  it.each(Object.entries(BROKEN).map(([name, [, said]]) => [name, said] as const))(
    'reports a broken file as its only finding: %s',
    (name, said) => {
      expect(findings(name)).toMatchObject([{ rule: 'unreadable', problem: expect.stringContaining(said) }]);
    },
  );

  it.each([
    ['folder', 'is not a file'],
    ['device', 'is not a file'],
    ['pipe', 'is not a file'],
    ['dangling', 'ENOENT'],
  ])('reports a path that is not a file by its name: %s', (name, said) => {
    expect(findings(name)).toMatchObject([{ rule: 'unreadable', problem: expect.stringContaining(said) }]);
  });

  it('still checks the other files', () => {
    expect([rules('a-sound'), rules('z-sound'), rules('z-bad')]).toEqual([[], [], ['add-check']]);
    expect(report.linted.map(({ name }) => name)).toEqual(expect.arrayContaining(['a-sound', 'z-sound', 'z-bad']));
  });

  it('checks a file for any case of its extension', () => {
    expect([rules('Y-CAPITALS.SQL'), rules('y-mixed.Sql')]).toEqual([['add-check'], ['add-check']]);
  });

  it('names each folder inside whose SQL files it does not check', async () => {
    const folders = ['.hidden/', 'below/', 'below/deep/', 'empty/', 'only-schema/', 'other/', 'upper/'];
    const files = {
      ...Object.fromEntries(folders.map((name) => [name, ''])),
      'draft.sql': SOUND,
      'schema.sql': 'CREATE TABLE public.t (id bigint PRIMARY KEY, a integer);',
      '.hidden/draft.sql': BAD,
      'below/deep/draft.sql': BAD,
      'only-schema/schema.sql': 'CREATE TABLE public.u (id bigint PRIMARY KEY);',
      'other/notes.txt': 'SELECT 1;',
      'upper/DRAFT.SQL': BAD,
    };
    const { findings: found } = await withDrafts(files, async (folder) => {
      symlinkSync(join(folder, 'below'), join(folder, 'linked'));
      symlinkSync(folder, join(folder, 'other', 'back'));
      symlinkSync(join(folder, 'self'), join(folder, 'self'));
      return lintFiles(folder);
    });
    expect(found.map(({ migration, rule }) => [migration, rule])).toEqual(
      ['.hidden', 'below', 'linked', 'upper'].map((name) => [name, 'unreadable']),
    );
    expect(found[0]?.problem).toBe('this folder contains SQL files, and they are not checked');
  }, 60_000);

  it('is not silent about a folder whose SQL files are all in folders inside', async () => {
    const { findings: found } = await withDrafts({ 'below/': '', 'below/draft.sql': SOUND }, lintFiles);
    expect(found).toMatchObject([{ migration: 'below', rule: 'unreadable' }]);
  }, 60_000);

  it('finds the tables in SCHEMA.SQL too, and does not check it as a draft', async () => {
    const files = { 'SCHEMA.SQL': 'CREATE TABLE public.t (id bigint PRIMARY KEY, j json);', 'DRAFT.SQL': SOUND };
    const { linted, findings: found } = await withDrafts(files, lintFiles);
    expect([linted.map(({ name }) => name), found]).toEqual([['DRAFT.SQL'], []]);
  }, 60_000);

  it('reads CRLF and a byte order mark as PostgreSQL clients do', () => {
    expect([rules('z-crlf'), rules('z-bom')]).toEqual([['add-check'], ['add-check']]);
  });

  it('reads no header and no exception from inside a string', () => {
    expect(rules('z-words-in-a-string')).toEqual(['drop-table']);
  });

  it('checks each statement after those before it, and each file on the schema', () => {
    expect(findings('z-fails-then-goes-on').map(({ statement, rule }) => [statement, rule])).toEqual([
      [0, 'does-not-run'],
      [2, 'data-change'],
      [2, 'work-under-lock'],
    ]);
    expect(rules('z-after')).toEqual(['drop-column', 'does-not-run']);
  });

  it('names a schema.sql that does not run', async () => {
    const files = { 'schema.sql': 'CREATE TABLE public.t (', 'draft.sql': SOUND };
    await withDrafts(files, async (folder) => {
      await expect(lintFiles(folder)).rejects.toThrow(/schema\.sql: syntax error .*; expected SQL that runs/);
    });
  }, 60_000);

  it('refuses a path without SQL as a usage error', async () => {
    await expect(lintFiles('/nonexistent/draft.sql')).rejects.toMatchObject({ exitCode: 2 });
  });
});
