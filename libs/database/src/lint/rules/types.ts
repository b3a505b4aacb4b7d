import { constraintsOf, definedColumns, type Rule, typeOf } from '../rule.js';
import { stringsOf } from '../statement.js';
import type { ColumnDef } from 'libpg-query';

function columnRule(
  name: string,
  describe: (where: string, column: ColumnDef) => { problem: string; instead: string } | undefined,
): Rule {
  return {
    name,
    find: (statement) =>
      definedColumns(statement).flatMap(({ table, column }) => describe(`${table}.${column.colname}`, column) ?? []),
  };
}

/** A type is cheap to choose and dear to change. */
export const typeRules: readonly Rule[] = [
  columnRule('json-column', (where, column) =>
    typeOf(column) === 'json'
      ? {
          problem: `${where} is json, which has no equality: SELECT DISTINCT and GROUP BY fail`,
          instead: `${column.colname} jsonb`,
        }
      : undefined,
  ),
  columnRule('varchar-column', (where, column) =>
    /^(varchar|bpchar|char)$/.test(typeOf(column))
      ? {
          problem: `${where} is ${typeOf(column) === 'bpchar' ? 'char' : typeOf(column)}(n): another length means another type, and a lock on the table`,
          instead: `${column.colname} text, with a CHECK on char_length(${column.colname})`,
        }
      : undefined,
  ),
  columnRule('timestamp-column', (where, column) =>
    typeOf(column) === 'timestamp'
      ? {
          problem: `${where} is a timestamp without a zone: nobody can say which moment it means`,
          instead: `${column.colname} timestamptz`,
        }
      : undefined,
  ),
  columnRule('serial-column', (where, column) =>
    /serial/.test(typeOf(column))
      ? {
          problem: `${where} is serial: its sequence has rights and an owner of its own`,
          instead: `${column.colname} bigint GENERATED ALWAYS AS IDENTITY`,
        }
      : undefined,
  ),
  columnRule('small-primary-key', (where, column) =>
    /^(int2|int4|smallint|integer)$/.test(typeOf(column)) &&
    constraintsOf(column).some(({ contype }) => contype === 'CONSTR_PRIMARY')
      ? {
          problem: `${where} is a key that runs out at 2,147,483,647 rows at most`,
          instead: `${column.colname} uuid DEFAULT uuidv7(), or bigint`,
        }
      : undefined,
  ),
  {
    name: 'constrained-domain',
    find: ({ node }) =>
      'CreateDomainStmt' in node && (node.CreateDomainStmt.constraints ?? []).length > 0
        ? {
            problem: `changing the constraint of domain ${stringsOf(node.CreateDomainStmt.domainname).join('.')} later scans every table that uses it`,
            instead: 'put the CHECK on the column of each table',
          }
        : undefined,
  },
  {
    name: 'create-enum',
    find: ({ node }) =>
      'CreateEnumStmt' in node
        ? {
            problem: `no value can ever be taken out of enum ${stringsOf(node.CreateEnumStmt.typeName).join('.')}`,
            instead: `a text column with CHECK (… IN (${stringsOf(node.CreateEnumStmt.vals)
              .map((value) => `'${value}'`)
              .join(', ')})), or a table of values`,
          }
        : undefined,
  },
  {
    name: 'enum-value-order',
    find: ({ node }) =>
      'AlterEnumStmt' in node && !node.AlterEnumStmt.oldVal && !node.AlterEnumStmt.newValNeighbor
        ? {
            problem: `where '${node.AlterEnumStmt.newVal}' sorts in ${stringsOf(node.AlterEnumStmt.typeName).join('.')} is left to chance`,
            instead: `ALTER TYPE ${stringsOf(node.AlterEnumStmt.typeName).join('.')} ADD VALUE '${node.AlterEnumStmt.newVal}' AFTER '<its neighbour>'`,
          }
        : undefined,
  },
  {
    name: 'enum-value-used',
    find: ({ earlier, sql }) => {
      const added = earlier.flatMap((node) =>
        'AlterEnumStmt' in node && !node.AlterEnumStmt.oldVal ? [node.AlterEnumStmt.newVal ?? ''] : [],
      );
      return added
        .filter((value) => sql.includes(`'${value}'`))
        .map((value) => ({
          problem: `'${value}' cannot be used in the transaction that adds it (55P04)`,
          instead: `move this statement to the next migration`,
        }));
    },
  },
];
