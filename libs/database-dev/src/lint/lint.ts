import { type Client, DatabaseError } from 'pg';
import { migrate, assertBackfillCatalogue, assertCatalogue, seed } from '@airlock/database/internal';
import { type Backfill, type Migration, type Model, TEST_SEED_SIZE } from '@airlock/database/model';
import { applyExceptions } from './lint-exceptions.js';
import { findUnindexedKeys, traceMigration } from './trace/lock-trace.js';
import type { StatementTrace } from './trace/statement-trace.js';
import { findUnnamed, tryBackfills } from './judge-backfills.js';
import { ColumnClasses } from './judge-classes.js';
import { findUnreleased } from './released.js';
import { inventName, quoteIdentifier } from './syntax/names.js';
import { type LintFinding, OWN_MIGRATION, steps } from './rules/lint-rule.js';
import { lintRules } from './rules/index.js';
import { loadSquawkReport, selectSquawk, type SquawkReport } from './squawk.js';
import { flatten } from './syntax/nested.js';
import { parseMigration, type ParsedStatement } from './syntax/statement.js';
import { type ThrowawayDatabase, withThrowawayDatabase } from './trace/throwaway-database.js';
import { judgeTraces } from './trace/judge-traces.js';

export interface LintReport {
  readonly linted: readonly LintedMigration[];
  readonly findings: readonly LintFinding[];
}

export interface LintedMigration {
  readonly name: string;
  readonly traces: readonly StatementTrace[];
}

export interface LintOptions extends Pick<Model, 'migrations' | 'backfills' | 'seeds' | 'folder' | 'loadClasses'> {
  /** Includes the migrations of earlier releases. */
  readonly isAll?: boolean;
}

/** Checks the migrations of the next release, by their text and by their effects on a seeded database. */
export async function lintMigrations({ isAll = false, ...model }: LintOptions): Promise<LintReport> {
  const { migrations, backfills } = model;
  assertCatalogue(migrations);
  assertBackfillCatalogue(migrations, backfills);
  // A baseline describes tables that exist: their types are given, and no session waits for their locks.
  const fresh = (isAll ? migrations : findUnreleased(model)).filter(({ isBaseline }) => !isBaseline);
  const earlier = migrations.filter((migration) => !fresh.includes(migration));
  const isUsed = ({ name }: Backfill) => earlier.some((migration) => migration.backfills.includes(name));
  const open = backfills.filter((backfill) => !isUsed(backfill));
  if (fresh.length + open.length === 0) return { linted: [], findings: [] };
  return withThrowawayDatabase(async (database) => {
    await fill(database, { ...model, migrations: earlier, backfills: backfills.filter(isUsed) });
    return database.withOwner((client) => lintInOrder(client, { fresh, open, classes: new ColumnClasses(model) }));
  });
}

/** The effects of a statement on rows are only visible with rows. */
async function fill(
  { config }: ThrowawayDatabase,
  model: Pick<Model, 'migrations' | 'backfills' | 'seeds'>,
): Promise<void> {
  if (model.migrations.length === 0) return;
  await migrate({ config, ...model });
  // The sample rows fit the tables after the last migration.
  if (model.migrations.some(({ isBaseline }) => !isBaseline))
    await seed({ config, seeds: model.seeds, size: TEST_SEED_SIZE, isPartial: true });
}

/** In order, because each runs on the result of the earlier ones. */
async function lintInOrder(
  client: Client,
  { fresh, open, classes }: { fresh: readonly Migration[]; open: readonly Backfill[]; classes: ColumnClasses },
): Promise<LintReport> {
  const squawk = await loadSquawkReport(fresh);
  const drafts: Draft[] = [];
  const broken: LintFinding[] = [];
  const waiting = new Set(open);
  const tryAll = async (backfills: readonly Backfill[]) => {
    for (const backfill of backfills) waiting.delete(backfill);
    broken.push(...(await tryBackfills(client, backfills)));
  };
  for (const migration of fresh) {
    // Afterwards the columns that it reads may be gone.
    await tryAll([...waiting].filter(({ name }) => migration.backfills.includes(name)));
    const draft = await lintOne(client, migration, squawk);
    const unnamed = await findUnnamed(client, { ...draft, migration }, open);
    drafts.push({ ...draft, findings: [...draft.findings, ...unnamed] });
    if (migration.transactional) await commit(client);
    await classes.note(client, migration.name);
  }
  await tryAll([...waiting]);
  const report = await concludeReport(client, drafts);
  const unclassified = await classes.judge(client, fresh.at(-1)?.name ?? '');
  return { ...report, findings: [...report.findings, ...broken, ...unclassified] };
}

/** A deferred constraint that fails here has failed in the trace before, and is a finding there. */
async function commit(client: Client): Promise<void> {
  await client.query('COMMIT').catch((error: unknown) => {
    if (!(error instanceof DatabaseError)) throw error;
  });
}

/** Before exceptions are applied: the index of a key may still come in the last migration. */
export interface Draft extends LintedMigration {
  readonly statements: readonly ParsedStatement[];
  readonly findings: readonly LintFinding[];
}

/** Leaves the migration's transaction open. */
export async function lintOne(client: Client, migration: Migration, squawk: SquawkReport): Promise<Draft> {
  const traces = await traceMigration(client, migration);
  const statements = await parseMigration(migration, traces);
  const syntax = statements.flatMap(judgeSyntax);
  const ours = judgeTraces(statements, traces, syntax);
  // A finding of ours that the trace has withdrawn is a mistake of squawk's too.
  const theirs = selectSquawk(squawk.get(migration) ?? [], statements, [...syntax, ...ours]);
  return { name: migration.name, traces, statements, findings: [...ours, ...theirs] };
}

export async function concludeReport(client: Client, drafts: readonly Draft[]): Promise<LintReport> {
  const keys = await judgeForeignKeys(client, drafts);
  return {
    linted: drafts.map(({ name, traces }) => ({ name, traces })),
    findings: drafts.flatMap(({ name, statements, findings }) =>
      applyExceptions(statements, [...findings, ...keys.filter(({ migration }) => migration === name)]).sort(
        byStatement,
      ),
    ),
  };
}

/** Findings about the whole file come first. */
export function byStatement(a: LintFinding, b: LintFinding): number {
  return (a.statement ?? -1) - (b.statement ?? -1);
}

function judgeSyntax(statement: ParsedStatement): LintFinding[] {
  if (statement.unreadable !== undefined) return [createUnreadable(statement, statement.unreadable)];
  const parts = flatten(statement);
  return lintRules.flatMap((rule) => {
    const found = parts.flatMap((part) => rule.find(part) ?? []);
    // A rule that searches the whole tree finds the same in the statement and in its part.
    const problems = found.filter((one, index) => found.findIndex(({ problem }) => problem === one.problem) === index);
    return problems.map((problem) => ({
      ...problem,
      migration: statement.migration.name,
      statement: statement.index,
      rule: rule.name,
    }));
  });
}

function createUnreadable({ migration, index }: ParsedStatement, problem: string): LintFinding {
  return { migration: migration.name, statement: index, rule: 'unreadable', problem, instead: 'one statement of SQL' };
}

/** At the very end: the index may come in a later migration than the key. */
async function judgeForeignKeys(client: Client, linted: readonly LintedMigration[]): Promise<LintFinding[]> {
  const unindexed = await findUnindexedKeys(client);
  return linted.flatMap(({ name: migration, traces }) =>
    traces.flatMap(({ foreignKeys }, statement) =>
      unindexed
        .filter((key) => foreignKeys.some(({ table, name }) => table === key.table && name === key.name))
        .map(({ table, bare: relname, name, columns }) => ({
          migration,
          statement,
          rule: 'unindexed-foreign-key',
          problem: `${name} has no index on ${table} (${columns.map(quoteIdentifier).join(', ')}): deleting a row that it refers to scans all of ${table}`,
          instead: steps(
            OWN_MIGRATION,
            `CREATE INDEX CONCURRENTLY IF NOT EXISTS ${inventName([relname, ...columns], 'idx')} ON ${table} (${columns.map(quoteIdentifier).join(', ')})`,
          ),
        })),
    ),
  );
}

export function describeFinding({ migration, statement, rule, problem, instead }: LintFinding): string {
  const where = statement === undefined ? migration : `${migration}, statement ${statement + 1}`;
  return `${where}: ${problem} [${rule}]\n  ${instead.replaceAll('\n', '\n  ')}`;
}
