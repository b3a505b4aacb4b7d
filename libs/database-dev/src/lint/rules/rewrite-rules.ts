import type { ColumnDef, Node } from 'libpg-query';
import { clipIdentifier, LONGEST_IDENTIFIER_BYTES } from '@airlock/database/model';
import { domainOf } from '../syntax/domains.js';
import { nameOf, quoteIdentifier, stringsOf } from '../syntax/names.js';
import {
  alterRule,
  constraintsOf,
  isFilled,
  isSerial,
  type LintProblem,
  type LintRule,
  steps,
  typeOf,
  typeText,
} from './lint-rule.js';
import { clauseAt } from '../syntax/source-text.js';
import { type ParsedStatement, parseSql, someNode } from '../syntax/statement.js';

/** PostgreSQL evaluates these once in a statement, and rewrites nothing. */
const STABLE_FUNCTIONS =
  /^(now|transaction_timestamp|statement_timestamp|current_setting|current_database|to_jsonb|jsonb_build_object|jsonb_build_array|make_interval|lower|upper|md5|concat|length|coalesce|timezone)$/;

function volatileFunction(value: Node | undefined): string | undefined {
  let found: string | undefined;
  someNode(value, (kind, body) => {
    const name = kind === 'FuncCall' ? stringsOf(body['funcname'] as never).at(-1) : undefined;
    if (name !== undefined && !STABLE_FUNCTIONS.test(name)) found = name;
    return found !== undefined;
  });
  return found;
}

/** A column without its own default has the default of its domain. */
function judgeDomainDefault(table: string, column: ColumnDef, statement: ParsedStatement): LintProblem | undefined {
  const domain = domainOf(statement, column);
  // A constraint is a rewrite for itself, and may not accept the NULL of this advice.
  if (domain === undefined || domain.default === null || domain.isConstrained) return undefined;
  const name = volatileFunction(parseSql(`SELECT ${domain.default}`).stmts?.[0]?.stmt);
  if (name === undefined) return undefined;
  const columnName = quoteIdentifier(column.colname ?? '');
  return {
    problem: `${quoteIdentifier(name)}(), the default of domain ${domain.name}, differs from row to row and rewrites ${table} under an ACCESS EXCLUSIVE lock`,
    instead: `backfill the rows in a job after:\n${steps(
      `ALTER TABLE ${table} ADD COLUMN ${columnName} ${domain.name} DEFAULT NULL`,
      `ALTER TABLE ${table} ALTER COLUMN ${columnName} DROP DEFAULT`,
    )}`,
  };
}

/** The source text of the default, up to the next constraint of the column. */
function defaultText({ sql }: ParsedStatement, column: ColumnDef): string {
  const location = constraintsOf(column).find(({ contype }) => contype === 'CONSTR_DEFAULT')?.location;
  const others = constraintsOf(column).map((other) => other.location);
  return clauseAt(sql, location, ({ start }) => start !== location && others.includes(start));
}

const SUFFIX = '_new';
const LONGEST_STEM = LONGEST_IDENTIFIER_BYTES - SUFFIX.length;

/** PostgreSQL copies the whole table, and no other session may read it meanwhile. */
export const rewriteRules: readonly LintRule[] = [
  alterRule('change-column-type', 'AT_AlterColumnType', ({ table, cmd, column }, statement) => {
    const name = cmd.name ?? '';
    const added = `ALTER TABLE ${table} ADD COLUMN ${quoteIdentifier(clipIdentifier(name, LONGEST_STEM) + SUFFIX)}`;
    return {
      problem: `changing the type of ${table}.${quoteIdentifier(name)} rewrites the table under an ACCESS EXCLUSIVE lock`,
      instead: `add a second column; write both, backfill in a job, read the new one, drop ${quoteIdentifier(name)} in a contract:\n${steps(`${added} ${typeText(statement, column)}`)}`,
    };
  }),
  alterRule('volatile-default', 'AT_AddColumn', ({ table, column }, statement) => {
    if (column === undefined) return undefined;
    const own = constraintsOf(column).find(({ contype }) => contype === 'CONSTR_DEFAULT');
    const name = volatileFunction(own?.raw_expr);
    if (name === undefined) return isFilled(column) ? undefined : judgeDomainDefault(table, column, statement);
    const columnName = quoteIdentifier(column.colname ?? '');
    return {
      problem: `a default of ${quoteIdentifier(name)}() differs from row to row and rewrites ${table} under an ACCESS EXCLUSIVE lock`,
      instead: `backfill the rows in a job after:\n${steps(
        `ALTER TABLE ${table} ADD COLUMN ${columnName} ${typeText(statement, column)}`,
        `ALTER TABLE ${table} ALTER COLUMN ${columnName} SET ${defaultText(statement, column)}`,
      )}`,
    };
  }),
  alterRule('add-stored-generated', 'AT_AddColumn', ({ table, column }) =>
    constraintsOf(column).some(({ contype, generated_kind: kind }) => contype === 'CONSTR_GENERATED' && kind !== 'v')
      ? {
          problem: `the stored generated column ${table}.${quoteIdentifier(column?.colname ?? '')} rewrites the table under an ACCESS EXCLUSIVE lock`,
          instead: `make it VIRTUAL: PostgreSQL 18 computes it on each read`,
        }
      : undefined,
  ),
  alterRule('add-identity', 'AT_AddColumn', ({ table, column }) =>
    constraintsOf(column).some(({ contype }) => contype === 'CONSTR_IDENTITY') ||
    (column !== undefined && isSerial(typeOf(column)))
      ? {
          problem: `numbering the rows of ${table} in ${quoteIdentifier(column?.colname ?? '')} rewrites the table under an ACCESS EXCLUSIVE lock`,
          instead: `fill the column from a sequence in a job, and make it the key in a contract:\n${steps(`ALTER TABLE ${table} ADD COLUMN ${quoteIdentifier(column?.colname ?? '')} bigint`)}`,
        }
      : undefined,
  ),
  alterRule('set-tablespace', 'AT_SetTableSpace', ({ table, cmd }) => ({
    problem: `moving ${table} to tablespace ${quoteIdentifier(cmd.name ?? '')} copies it under an ACCESS EXCLUSIVE lock`,
    instead: `move it with pg_repack in a maintenance window`,
  })),
  alterRule('set-logged', 'AT_SetLogged', ({ table }) => ({
    problem: `SET LOGGED rewrites ${table} under an ACCESS EXCLUSIVE lock`,
    instead: `create a logged table beside ${table} and copy the rows in a job`,
  })),
  alterRule('set-unlogged', 'AT_SetUnLogged', ({ table }) => ({
    problem: `SET UNLOGGED rewrites ${table} under an ACCESS EXCLUSIVE lock, and a crash then empties it`,
    instead: `keep ${table} logged; create a new UNLOGGED table for data that may be lost`,
  })),
  {
    name: 'vacuum-full',
    find: ({ node }) =>
      'VacuumStmt' in node && someNode(node.VacuumStmt.options, (_, body) => body?.['defname'] === 'full')
        ? {
            problem: 'VACUUM FULL rewrites the table under an ACCESS EXCLUSIVE lock',
            instead: 'VACUUM without FULL does not block; pg_repack returns the space to the system',
          }
        : undefined,
  },
  {
    name: 'cluster',
    find: ({ node }) =>
      'ClusterStmt' in node
        ? {
            problem: `CLUSTER rewrites ${nameOf(node.ClusterStmt.relation)} under an ACCESS EXCLUSIVE lock`,
            instead: 'pg_repack orders a table without a lock on it',
          }
        : undefined,
  },
];
