import { connectMigrator, type MigrationTarget } from '../runner/session.js';
import type { Model } from '../model/product-model.js';
import { MigrationError } from '../model/migration-error.js';
import { readCatalogue } from './catalogue.js';
import { loadSchemaFile } from './schema-file.js';

export interface Drift {
  /** Statements of the migrations' schema that are missing in the database. */
  readonly missing: readonly string[];
  /** Statements of the database that no migration creates. */
  readonly unexpected: readonly string[];
}

/** Compares a live database with the schema that the migrations of this code create. Reads only. */
export async function findDrift(target: MigrationTarget & Pick<Model, 'folder'>): Promise<Drift> {
  const client = await connectMigrator(target, 'drift');
  try {
    const { app, migration } = target.config.database;
    return findSchemaDrift(
      loadSchemaFile(target),
      await readCatalogue(client, { app: app.user, migrator: migration?.user ?? '' }),
    );
  } finally {
    await client.end();
  }
}

export function findSchemaDrift(expected: readonly string[], actual: readonly string[]): Drift {
  const [wanted, found] = [new Set(expected), new Set(actual)];
  return {
    missing: expected.filter((statement) => !found.has(statement)),
    unexpected: actual.filter((statement) => !wanted.has(statement)),
  };
}

export function hasDrift({ missing, unexpected }: Drift): boolean {
  return missing.length + unexpected.length > 0;
}

const WORDS_OF_A_NAME = 6;

/** As a diff: `-` is missing in the database, `+` is unexpected. Lines about the same object are adjacent. */
export function describeDrift({ missing, unexpected }: Drift): string {
  const lines = [...missing.map((sql) => `- ${sql}`), ...unexpected.map((sql) => `+ ${sql}`)];
  const about = (line: string) => line.slice(2).split(' ', WORDS_OF_A_NAME).join(' ');
  // The sort is stable, so `-` comes before `+` for the same object.
  return lines.sort((a, b) => (about(a) < about(b) ? -1 : Number(about(a) > about(b)))).join('\n');
}

export class DriftError extends MigrationError {
  override name = 'DriftError';

  constructor(where: string, drift: Drift, fix: string) {
    super(
      `${where}: differs from the schema of the migrations; expected no difference\n${describeDrift(drift)}\n  ${fix}`,
    );
  }
}
