import { createHash } from 'node:crypto';
import { MigrationError } from './migration-error.js';
import { isRepeatable } from './repeatable.js';

/** `contract`: incompatible with code older than the release of its `expand`. */
export type MigrationPhase = 'expand' | 'contract';

export interface MigrationStatement {
  readonly sql: string;
  /** Lint rules that this statement may break, each with a reason for reviewers. */
  readonly allow?: Readonly<Record<string, string>>;
}

export interface MigrationDefinition {
  /** `YYYYMMDDHHMMSS-kebab-case`, the same as the file name. */
  name: string;
  phase: MigrationPhase;
  /** Of a contract: the expand that it completes. */
  completes?: string;
  /**
   * `false` for a statement that PostgreSQL refuses in a transaction (CREATE INDEX CONCURRENTLY): then exactly one, and
   * idempotent.
   */
  transaction?: false;
  /** The backfills that must be complete before it runs: it removes, requires or checks a column of theirs. */
  backfills?: readonly string[];
  /**
   * The schema that a database had before it was adopted. `airlock db adopt --apply` records it there, and it runs in new
   * databases. It is the first migration, and the linter does not judge it.
   */
  isBaseline?: true;
  statements: readonly (string | MigrationStatement)[];
}

/** A migration is data: the workspace, CI and an image have the same statements, hence the same SHA-256. */
export interface Migration {
  readonly name: string;
  readonly phase: MigrationPhase;
  readonly completes: string | undefined;
  readonly transactional: boolean;
  readonly backfills: readonly string[];
  readonly isBaseline: boolean;
  readonly statements: readonly MigrationStatement[];
  readonly sha256: string;
}

export const MIGRATION_NAME = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})-[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/** @throws MigrationError if the definition contradicts itself. */
export function defineMigration(definition: MigrationDefinition): Migration {
  assertDefinition(definition);
  const migration = {
    name: definition.name,
    phase: definition.phase,
    completes: definition.completes,
    transactional: definition.transaction !== false,
    backfills: definition.backfills ?? [],
    isBaseline: definition.isBaseline === true,
    // A baseline repeats the source of functions exactly.
    statements: definition.isBaseline
      ? definition.statements.map(toStatement)
      : definition.statements.map(createStatement),
  };
  return Object.freeze({ ...migration, sha256: createFingerprint(migration) });
}

function assertDefinition({ name, phase, completes, transaction, statements }: MigrationDefinition): void {
  if (!MIGRATION_NAME.test(name))
    throw new MigrationError(`${JSON.stringify(name)}: not a migration name; expected YYYYMMDDHHMMSS-kebab-case`);
  if (!isMoment(name))
    throw new MigrationError(`${name}: its timestamp is not a valid time; expected UTC YYYYMMDDHHMMSS`);
  if (phase === 'contract' && completes === undefined)
    throw new MigrationError(
      `${name}: this contract does not name its expand; expected completes: '<name of its expand>'`,
    );
  if (phase === 'expand' && completes !== undefined)
    throw new MigrationError(`${name}: an expand cannot complete ${completes}; expected phase: 'contract'`);
  if (statements.length === 0) throw new MigrationError(`${name}: no statements; expected at least one`);
  if (transaction === false) assertRepeatable(name, statements);
  for (const statement of statements) assertNoTransactionControl(name, createStatement(statement));
}

function isMoment(name: string): boolean {
  const iso = name.replace(MIGRATION_NAME, '$1-$2-$3T$4:$5:$6.000Z');
  const moment = new Date(iso);
  return !Number.isNaN(moment.getTime()) && moment.toISOString() === iso;
}

/** A COMMIT in the middle would leave a migration half applied and unrecorded. */
export function assertNoTransactionControl(name: string, { sql }: MigrationStatement): void {
  const bare = sql.replace(/^(?:\s+|--[^\n]*\n|\/\*[\s\S]*?\*\/)+/, '');
  const word = /^(BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE)\b/i.exec(bare)?.[1];
  if (word)
    throw new MigrationError(`${name}: ${word.toUpperCase()} is reserved for the runner; expected schema statements`);
}

/**
 * Outside a transaction a run can end between the statement and its record; the next run then repeats the statement.
 */
function assertRepeatable(name: string, statements: readonly (string | MigrationStatement)[]): void {
  if (statements.length !== 1)
    throw new MigrationError(
      `${name}: ${statements.length} statements outside a transaction; expected exactly one, because a failure could leave the others unapplied`,
    );
  const sql = statements.map(createStatement)[0]?.sql ?? '';
  if (!isRepeatable(sql))
    throw new MigrationError(
      `${name}: outside a transaction and not repeatable; expected CREATE INDEX CONCURRENTLY IF NOT EXISTS name ON schema.table, ` +
        'DROP INDEX CONCURRENTLY IF EXISTS schema.name, REINDEX INDEX CONCURRENTLY schema.name, ANALYZE or VACUUM',
    );
}

function createStatement(statement: string | MigrationStatement): MigrationStatement {
  const { sql, ...rest } = toStatement(statement);
  return Object.freeze({ sql: dedent(sql), ...rest });
}

function toStatement(statement: string | MigrationStatement): MigrationStatement {
  return Object.freeze(typeof statement === 'string' ? { sql: statement } : { ...statement });
}

/** Indentation in the source is ignored, so a file may be reformatted after it was applied. */
function dedent(sql: string): string {
  const lines = sql.trim().split('\n');
  const indents = lines
    .slice(1)
    .filter((line) => line.trim() !== '')
    .map((line) => line.search(/\S/));
  const indent = indents.length > 0 ? Math.min(...indents) : 0;
  return lines.map((line, index) => (index === 0 ? line : line.slice(indent)).trimEnd()).join('\n');
}

/** Reasons of lint exceptions are left out: they are for readers and may be reworded later. */
function createFingerprint(migration: Omit<Migration, 'sha256' | 'isBaseline'>): string {
  const { name, phase, completes = null, transactional, backfills, statements } = migration;
  // Only if there are any: the fingerprints of migrations without them are recorded.
  const needs = backfills.length > 0 ? [backfills] : [];
  const content = [name, phase, completes, transactional, statements.map(({ sql }) => sql), ...needs];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
