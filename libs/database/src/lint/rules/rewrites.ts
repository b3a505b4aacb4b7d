import type { ColumnDef } from 'libpg-query';
import { alterRule, constraintsOf, type Rule, typeOf } from '../rule.js';
import { nameOf, someNode, stringsOf } from '../statement.js';

/** Constants in the eyes of one statement: PostgreSQL evaluates them once and rewrites nothing. */
const STABLE_FUNCTIONS =
  /^(now|transaction_timestamp|statement_timestamp|current_setting|current_database|to_jsonb|jsonb_build_object|jsonb_build_array|make_interval|lower|upper|md5|concat|length|coalesce|timezone)$/;

function volatileDefault(column: ColumnDef): string | undefined {
  const value = constraintsOf(column).find(({ contype }) => contype === 'CONSTR_DEFAULT')?.raw_expr;
  let found: string | undefined;
  someNode(value, (kind, body) => {
    const name = kind === 'FuncCall' ? stringsOf(body['funcname'] as never).at(-1) : undefined;
    if (name !== undefined && !STABLE_FUNCTIONS.test(name)) found = name;
    return found !== undefined;
  });
  return found;
}

/** PostgreSQL copies the whole table while nobody may read it. */
export const rewriteRules: readonly Rule[] = [
  alterRule('change-column-type', 'AT_AlterColumnType', ({ table, cmd, column }) => ({
    problem: `changing the type of ${table}.${cmd.name} rewrites the table under an ACCESS EXCLUSIVE lock`,
    instead: `ALTER TABLE ${table} ADD COLUMN ${cmd.name}_new ${column ? typeOf(column) : '…'}; write both, backfill in a job, read the new one, drop ${cmd.name} in a contract`,
  })),
  alterRule('volatile-default', 'AT_AddColumn', ({ table, column }) => {
    const name = column && volatileDefault(column);
    return name === undefined
      ? undefined
      : {
          problem: `a default of ${name}() differs from row to row and rewrites ${table} under an ACCESS EXCLUSIVE lock`,
          instead: `ALTER TABLE ${table} ADD COLUMN ${column?.colname} ${column ? typeOf(column) : ''}, then ALTER COLUMN ${column?.colname} SET DEFAULT ${name}(), and backfill in a job`,
        };
  }),
  alterRule('add-stored-generated', 'AT_AddColumn', ({ table, column }) =>
    constraintsOf(column).some(({ contype, generated_kind: kind }) => contype === 'CONSTR_GENERATED' && kind !== 'v')
      ? {
          problem: `the stored generated column ${table}.${column?.colname} rewrites the table under an ACCESS EXCLUSIVE lock`,
          instead: `make it VIRTUAL: PostgreSQL 18 computes it when it is read`,
        }
      : undefined,
  ),
  alterRule('add-identity', 'AT_AddColumn', ({ table, column }) =>
    constraintsOf(column).some(({ contype }) => contype === 'CONSTR_IDENTITY') ||
    /serial/.test(column ? typeOf(column) : '')
      ? {
          problem: `numbering the rows of ${table} in ${column?.colname} rewrites the table under an ACCESS EXCLUSIVE lock`,
          instead: `ALTER TABLE ${table} ADD COLUMN ${column?.colname} bigint, fill it from a sequence in a job, and make it the key in a contract`,
        }
      : undefined,
  ),
  alterRule('set-tablespace', 'AT_SetTableSpace', ({ table, cmd }) => ({
    problem: `moving ${table} to tablespace ${cmd.name} copies it under an ACCESS EXCLUSIVE lock`,
    instead: `move it with pg_repack in a maintenance window of its own`,
  })),
  alterRule('set-logged', 'AT_SetLogged', ({ table }) => ({
    problem: `SET LOGGED rewrites ${table} under an ACCESS EXCLUSIVE lock`,
    instead: `make a logged table beside ${table} and copy the rows in a job`,
  })),
  alterRule('set-unlogged', 'AT_SetUnLogged', ({ table }) => ({
    problem: `SET UNLOGGED rewrites ${table} under an ACCESS EXCLUSIVE lock, and a crash then empties it`,
    instead: `keep ${table} logged; make a new UNLOGGED table for what may be lost`,
  })),
  {
    name: 'vacuum-full',
    find: ({ node }) =>
      'VacuumStmt' in node && someNode(node.VacuumStmt.options, (_, body) => body?.['defname'] === 'full')
        ? {
            problem: 'VACUUM FULL rewrites the table under an ACCESS EXCLUSIVE lock',
            instead: 'VACUUM without FULL lets the table be used; pg_repack gives the space back',
          }
        : undefined,
  },
  {
    name: 'cluster',
    find: ({ node }) =>
      'ClusterStmt' in node
        ? {
            problem: `CLUSTER rewrites ${nameOf(node.ClusterStmt.relation)} under an ACCESS EXCLUSIVE lock`,
            instead: 'pg_repack orders a table while it is used',
          }
        : undefined,
  },
];
