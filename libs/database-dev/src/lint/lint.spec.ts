import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { defineMigration } from '@airlock/database/model';
import { listRules, OUR_RULES } from './lint-exceptions.js';
import { sampleModel } from '@airlock/database/sample';
import { lintFiles } from './lint-files.js';
import { describeFinding, lintMigrations, type LintReport } from './lint.js';
import { COVERED } from './squawk.js';
import { TRACE_RULES } from './trace/judge-traces.js';

const CASES = join(import.meta.dirname, 'cases');
const OURS = [...OUR_RULES].sort();
/** A rule may have further cases: `<rule>.<variant>.bad.sql`. */
const casesOf = (kind: string) =>
  readdirSync(CASES)
    .filter((file) => file.endsWith(`.${kind}`))
    .map((file) => file.slice(0, -kind.length - 1));
const ruleOf = (name: string) => name.split('.')[0] ?? '';

describe('the rules', () => {
  let report: LintReport;

  beforeAll(async () => {
    report = await lintFiles(CASES);
  }, 180_000);

  it('have a good and a bad case each', () => {
    for (const kind of ['good.sql', 'bad.sql', 'txt']) {
      expect(
        casesOf(kind)
          .filter((name) => ruleOf(name) === name)
          .sort(),
      ).toEqual(OURS);
      expect(OURS).toEqual(expect.arrayContaining(casesOf(kind).map(ruleOf)));
    }
    expect(casesOf('txt').sort()).toEqual(casesOf('bad.sql').sort());
  });

  it.each(casesOf('bad.sql'))('%s rejects its bad case, with the message in its .txt file', (name) => {
    const said = findings(`${name}.bad`).map(describeFinding).join('\n');
    expect(said).toContain(`[${ruleOf(name)}]`);
    expect(`${said}\n`).toBe(readFileSync(join(CASES, `${name}.txt`), 'utf8'));
  });

  it.each(casesOf('good.sql'))('%s accepts its good case', (name) => {
    expect(findings(`${name}.good`).map(describeFinding)).toEqual([]);
  });

  function findings(name: string) {
    const found = report.findings.filter(({ migration }) => migration === name);
    // An unreadable file is not linted.
    expect([...report.linted.map((linted) => linted.name), found[0]?.migration]).toContain(name);
    return found;
  }
});

describe('lintMigrations', () => {
  it('runs a baseline before the other migrations, and does not judge it', async () => {
    const baseline = defineMigration({
      name: '20200101000000-baseline',
      phase: 'expand',
      isBaseline: true,
      statements: ['CREATE TABLE public.old (id serial PRIMARY KEY, name varchar(9))'],
    });
    const model = { ...sampleModel, migrations: [baseline, ...sampleModel.migrations] };
    const classes = async () => ({
      ...(await sampleModel.loadClasses()),
      old: { id: 'internal', name: 'secret' } as const,
    });
    const { linted, findings } = await lintMigrations({ ...model, loadClasses: classes, isAll: true });
    expect(linted.map(({ name }) => name)).toEqual(sampleModel.migrations.map(({ name }) => name));
    expect(findings).toEqual([]);
    const unclassified = await lintMigrations({ ...model, isAll: true });
    expect(unclassified.findings.map(({ problem }) => problem)).toEqual([
      'old.id has no class',
      'old.name has no class',
    ]);
  });

  it('accepts a model without faults', async () => {
    const { linted, findings } = await lintMigrations({ ...sampleModel, isAll: true });
    expect(findings.map(describeFinding)).toEqual([]);
    expect(linted.map(({ name }) => name)).toEqual(sampleModel.migrations.map(({ name }) => name));
  });

  it('sees the locks of a statement on a table with rows, and a column without a class', async () => {
    const addNote = defineMigration({
      name: '29990101000000-add-note',
      phase: 'expand',
      statements: ['ALTER TABLE public.parcels ADD COLUMN note text'],
    });
    const { linted, findings } = await lintMigrations({
      ...sampleModel,
      isAll: true,
      migrations: [...sampleModel.migrations, addNote],
    });
    expect(findings.map(describeFinding)).toEqual([
      `29990101000000-add-note: parcels.note has no class [unclassified-column]\n` +
        '  in libs/database/src/sample/parcel.entity.ts, say what a copy of production may show; if it is about a person:\n' +
        `    note: personal('text'),\n` +
        `  otherwise 'public', 'internal', 'secret', or 'key' for a column of a foreign key`,
    ]);
    expect(linted.at(-1)?.traces).toMatchObject([
      { locks: [{ table: 'public.parcels', mode: 'AccessExclusiveLock' }], rewritten: [], error: undefined },
    ]);
  });
});

describe('listRules', () => {
  it('knows each rule of ours and of squawk once', () => {
    const names = listRules();
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining([...TRACE_RULES, ...Object.keys(COVERED)]));
  });
});
