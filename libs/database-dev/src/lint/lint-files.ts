import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Client } from 'pg';
import { MigrationError } from '@airlock/database/model';
import { byStatement, concludeReport, lintOne, type LintReport } from './lint.js';
import type { LintFinding } from './rules/lint-rule.js';
import { fileName, loadSqlFile, type SqlFile } from './sql-file.js';
import { findSchema, isFolder, listSqlFiles, listUncheckedFolders } from './sql-folder.js';
import { loadSquawkReport, type SquawkReport } from './squawk.js';
import { type ThrowawayDatabase, withThrowawayDatabase } from './trace/throwaway-database.js';

/** Checks plain SQL files, or every one of a folder, each on a new copy of the folder's `schema.sql`. */
export async function lintFiles(path: string): Promise<LintReport> {
  const folder = isFolder(path) ? path : undefined;
  const paths = folder === undefined ? [path].filter(existsSync) : listSqlFiles(folder);
  const unchecked = folder === undefined ? [] : listUncheckedFolders(folder).map(createUnchecked);
  if (paths.length + unchecked.length === 0) throw new NothingToLintError(path);
  const schema = findSchema(folder ?? dirname(path));
  const loaded = await Promise.all(paths.map(loadOrReport));
  const files = loaded.flatMap((file) => ('problem' in file ? [] : [file]));
  const squawk = await loadSquawkReport(files.map(({ migration }) => migration));
  const reports = await withThrowawayDatabase(async (database) => {
    if (schema !== undefined) await database.withOwner((client) => loadSchema(client, schema));
    return lintAll(database, files, squawk);
  });
  const broken = loaded.flatMap((file) => ('problem' in file ? [file] : []));
  return {
    linted: reports.flatMap(({ linted }) => linted),
    findings: [...unchecked, ...broken, ...reports.flatMap(({ findings }) => findings)].sort(byMigration),
  };
}

async function loadSchema(client: Client, path: string): Promise<void> {
  try {
    await client.query(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new MigrationError(`${path}: ${(cause as Error).message}; expected SQL that runs on an empty database`, {
      cause,
    });
  }
}

/** A file that cannot be checked is a finding, and the others are still checked. */
async function loadOrReport(path: string): Promise<SqlFile | LintFinding> {
  try {
    return await loadSqlFile(path);
  } catch (error) {
    return createUnreadable(fileName(path), error as Error);
  }
}

/** Which `schema.sql` would count for a file below is not clear, so each folder is checked by itself. */
function createUnchecked(folder: string): LintFinding {
  return {
    migration: folder,
    statement: undefined,
    rule: 'unreadable',
    problem: 'this folder contains SQL files, and they are not checked',
    instead: 'check it by itself: airlock db lint <its path>',
  };
}

function createUnreadable(migration: string, { message }: Error): LintFinding {
  const problem = message.replace(`${migration}: `, '');
  return { migration, statement: undefined, rule: 'unreadable', problem, instead: 'a file of SQL statements' };
}

/** Uses one database while its transactions can be rolled back, and then a new one. */
async function lintAll(
  { withCopy }: ThrowawayDatabase,
  files: readonly SqlFile[],
  squawk: SquawkReport,
): Promise<LintReport[]> {
  const reports: LintReport[] = [];
  const waiting = [...files].sort((a, b) => Number(b.migration.transactional) - Number(a.migration.transactional));
  while (waiting.length > 0)
    await withCopy(async (client) => {
      for (let isClean = true; isClean && waiting.length > 0;) {
        const file = waiting.shift() as SqlFile;
        isClean = await lintAndUndo(client, file, { squawk, reports });
      }
    });
  return reports;
}

interface Context {
  readonly squawk: SquawkReport;
  readonly reports: LintReport[];
}

/** Whether the database is unchanged. */
async function lintAndUndo(client: Client, { migration, findings }: SqlFile, context: Context): Promise<boolean> {
  const { squawk, reports } = context;
  try {
    const report = await concludeReport(client, [await lintOne(client, migration, squawk)]);
    reports.push({ ...report, findings: [...findings, ...report.findings] });
    if (migration.transactional) await client.query('ROLLBACK');
    return migration.transactional;
  } catch (error) {
    // A statement may end its own session.
    reports.push({ linted: [], findings: [createUnreadable(migration.name, error as Error)] });
    return false;
  }
}

function byMigration(a: LintFinding, b: LintFinding): number {
  return a.migration < b.migration ? -1 : a.migration > b.migration ? 1 : byStatement(a, b);
}

/** No findings in no files would look like a pass. */
class NothingToLintError extends Error {
  override readonly name = 'NothingToLintError';
  readonly exitCode = 2;

  constructor(path: string) {
    super(
      `${path}: there is no SQL; expected an .sql file, or a folder of them\n  without a path, airlock db lint checks the migrations`,
    );
  }
}
