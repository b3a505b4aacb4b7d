import { parseIdentifier, type Backfill, type Migration, MigrationError } from '@airlock/database/model';
import { planBackfill } from '@airlock/database/internal';
import { type Client, DatabaseError } from 'pg';
import { alterCommands, type LintFinding } from './rules/lint-rule.js';
import { nameOf, objectName, quoteName, stringsOf } from './syntax/names.js';
import { type ParsedStatement, parseSql, someNode } from './syntax/statement.js';

/** A part of the schema that a statement removes, requires or checks: its rows must have been filled before. */
interface Demand {
  readonly table: string;
  /** Undefined for the whole table. */
  readonly columns: readonly string[] | undefined;
  readonly verb: string;
}

interface Judged {
  readonly migration: Migration;
  readonly statements: readonly ParsedStatement[];
}

/**
 * A migration that demands filled rows must name the backfill, so that the runner refuses it before that is complete.
 *
 * @param client on the database after the migration
 */
export async function findUnnamed(
  client: Client,
  { migration, statements }: Judged,
  backfills: readonly Backfill[],
): Promise<LintFinding[]> {
  const open = backfills.filter(({ name, follows }) => follows < migration.name && !migration.backfills.includes(name));
  if (open.length === 0) return [];
  const demands = await Promise.all(statements.map((statement) => listDemands(client, statement)));
  return open.flatMap((backfill) => {
    const found = demands.flatMap((list, statement) =>
      list
        .filter((demand) => isAbout(backfill, demand))
        .map(({ verb }) => createUnnamed(backfill, { migration, statement, problem: verb })),
    );
    if (found.length > 0 || migration.completes !== backfill.follows) return found;
    const problem = `completes ${backfill.follows}`;
    return [createUnnamed(backfill, { migration, statement: undefined, problem })];
  });
}

function createUnnamed(
  { name, follows, table }: Backfill,
  { migration, statement, problem }: { migration: Migration; statement: number | undefined; problem: string },
): LintFinding {
  return {
    migration: migration.name,
    statement,
    rule: 'unnamed-backfill',
    problem:
      statement === undefined
        ? `${problem}, which the backfill ${name} follows, and does not name that`
        : `${problem}, which the backfill ${name} of ${table} fills or reads after ${follows}; it may not be complete`,
    instead: `in the migration: backfills: ['${name}'],\nit is then refused in each database where that backfill is not complete`,
  };
}

function isAbout(backfill: Backfill, { table, columns }: Demand): boolean {
  const own = quoteName(...splitName(backfill.table));
  return table === own && (columns === undefined || columns.some((column) => usedColumns(backfill).has(column)));
}

function splitName(table: string): string[] {
  return (table.match(/"(?:[^"]|"")+"|[^."]+/g) ?? []).map(parseIdentifier);
}

/** Those that it fills, and those that its expressions mention. */
function usedColumns({ set, where }: Backfill): ReadonlySet<string> {
  const used = new Set(Object.keys(set));
  for (const sql of [...Object.values(set), where]) for (const column of columnsIn(sql)) used.add(column);
  return used;
}

function columnsIn(sql: string): string[] {
  try {
    return listColumns(parseSql(`SELECT (\n${sql}\n)`));
  } catch (error) {
    // Reported as a backfill that does not run.
    if (error instanceof MigrationError) return [];
    throw error;
  }
}

function listColumns(tree: unknown): string[] {
  const found: string[] = [];
  someNode(tree, (kind, body: { fields?: Parameters<typeof stringsOf>[0] }) => {
    if (kind === 'ColumnRef') found.push(...stringsOf(body.fields).slice(-1));
    return false;
  });
  return found;
}

async function listDemands(client: Client, statement: ParsedStatement): Promise<Demand[]> {
  const { node } = statement;
  if ('RenameStmt' in node && node.RenameStmt.renameType === 'OBJECT_COLUMN') {
    const { relation, subname = '' } = node.RenameStmt;
    return [{ table: nameOf(relation), columns: [subname], verb: `renames ${subname}` }];
  }
  if ('DropStmt' in node && node.DropStmt.removeType === 'OBJECT_TABLE')
    return (node.DropStmt.objects ?? []).map((object) => {
      const table = objectName(object);
      return { table, columns: undefined, verb: `drops ${table}` };
    });
  const demands: Demand[] = [];
  for (const { table, cmd, constraint } of alterCommands(statement)) {
    const { name = '' } = cmd;
    const add = (columns: readonly string[], verb: string) => demands.push({ table, columns, verb });
    if (cmd.subtype === 'AT_DropColumn') add([name], `drops ${name}`);
    if (cmd.subtype === 'AT_SetNotNull') add([name], `makes ${name} NOT NULL`);
    if (cmd.subtype === 'AT_AlterColumnType') add([name], `changes the type of ${name}`);
    if (cmd.subtype === 'AT_ValidateConstraint') add(await readColumns(client, table, name), `validates ${name}`);
    if (cmd.subtype === 'AT_AddConstraint' && constraint && !constraint.skip_validation)
      add(
        [...listColumns(constraint), ...stringsOf(constraint.keys)],
        `adds the constraint ${constraint.conname ?? ''}`,
      );
  }
  return demands;
}

async function readColumns(client: Client, table: string, constraint: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT a.attname AS name FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
      WHERE c.conrelid = to_regclass($1) AND c.conname = $2`,
    [table, constraint],
  );
  return rows.map(({ name }) => name);
}

/** Tries the first batch on the seeded rows, and rolls it back. */
export async function tryBackfills(client: Client, backfills: readonly Backfill[]): Promise<LintFinding[]> {
  const findings: LintFinding[] = [];
  for (const backfill of backfills)
    try {
      await planBackfill(client, backfill);
    } catch (error) {
      if (!(error instanceof MigrationError || error instanceof DatabaseError)) throw error;
      const [problem = '', ...instead] = error.message.replace(`${backfill.name}: `, '').split('\n');
      findings.push({
        migration: backfill.name,
        statement: undefined,
        rule: 'backfill-does-not-run',
        problem,
        instead: instead.map((line) => line.trim()).join('\n') || `correct src/backfills/${backfill.name}.ts`,
      });
    }
  return findings;
}
