import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Client } from 'pg';
import type { Migration } from '../migrate/migration.js';
import { concludeReport, lintOne, type LintReport } from './lint.js';
import type { Finding } from './rule.js';
import { loadSqlFile } from './sql-file.js';
import { loadSquawkReport, type SquawkReport } from './squawk.js';
import { withThrowawayDatabase } from './throwaway-database.js';

/** The tables that the files of a folder are about; every file finds them as they are here. */
const SCHEMA_FILE = 'schema.sql';

/** Judges plain SQL files, or every one of a folder, each on a fresh copy of the folder's `schema.sql`. */
export async function lintFiles(path: string): Promise<LintReport> {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const files = isFolder ? listFiles(path) : [path].filter(existsSync);
  if (files.length === 0) throw new NothingToLintError(path);
  const schema = join(isFolder ? path : dirname(path), SCHEMA_FILE);
  return withThrowawayDatabase(async ({ withOwner, withCopy }) => {
    if (existsSync(schema)) await withOwner((client) => client.query(readFileSync(schema, 'utf8')));
    const migrations = await Promise.all(files.map(loadSqlFile));
    const squawk = await loadSquawkReport(migrations);
    const reports = await withCopy((client) => lintAndUndo(client, migrations, squawk));
    for (const migration of migrations.filter(({ transactional }) => !transactional))
      reports.push(
        await withCopy(async (client) => concludeReport(client, [await lintOne(client, migration, squawk)])),
      );
    return {
      linted: reports.flatMap(({ linted }) => linted),
      findings: reports.flatMap(({ findings }) => findings).sort(byMigration),
    };
  });
}

/** What runs in a transaction is taken back, and the next file finds the schema as it was. */
async function lintAndUndo(
  client: Client,
  migrations: readonly Migration[],
  squawk: SquawkReport,
): Promise<LintReport[]> {
  const reports = [];
  for (const migration of migrations.filter(({ transactional }) => transactional)) {
    reports.push(await concludeReport(client, [await lintOne(client, migration, squawk)]));
    await client.query('ROLLBACK');
  }
  return reports;
}

function byMigration(a: Finding, b: Finding): number {
  return a.migration < b.migration ? -1 : a.migration > b.migration ? 1 : 0;
}

function listFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql') && name !== SCHEMA_FILE)
    .sort()
    .map((name) => join(folder, name));
}

/** Nothing found in nothing would look like a good verdict. */
class NothingToLintError extends Error {
  override readonly name = 'NothingToLintError';
  readonly exitCode = 2;

  constructor(path: string) {
    super(
      `${path}: there is no SQL; expected an .sql file, or a folder of them\n  without a path, airlock db lint judges the migrations`,
    );
  }
}
