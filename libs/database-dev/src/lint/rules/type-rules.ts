import type { ColumnDef } from 'libpg-query';
import { qualify, quoteIdentifier, quoteLiteral, stringsOf } from '../syntax/names.js';
import { constraintsOf, definedColumns, type LintRule, typeOf } from './lint-rule.js';
import { someNode } from '../syntax/statement.js';

function columnRule(
  name: string,
  describe: (where: string, column: ColumnDef, name: string) => { problem: string; instead: string } | undefined,
): LintRule {
  return {
    name,
    find: (statement) =>
      definedColumns(statement).flatMap(({ table, column }) => {
        const columnName = quoteIdentifier(column.colname ?? '');
        return describe(`${table}.${columnName}`, column, columnName) ?? [];
      }),
  };
}

/** A type is cheap to choose and expensive to change. */
export const typeRules: readonly LintRule[] = [
  columnRule('json-column', (where, column, name) =>
    typeOf(column) === 'json'
      ? {
          problem: `${where} is json, which has no equality: SELECT DISTINCT and GROUP BY fail`,
          instead: `${name} jsonb`,
        }
      : undefined,
  ),
  columnRule('varchar-column', (where, column, name) =>
    // Without a length, varchar is text: TypeORM uses it for every string.
    /^(varchar|bpchar|char)$/.test(typeOf(column)) && column.typeName?.typmods !== undefined
      ? {
          problem: `${where} is ${typeOf(column) === 'bpchar' ? 'char' : typeOf(column)}(n): another length means another type, and a lock on the table`,
          instead: `${name} text, with a CHECK on char_length(${name})`,
        }
      : undefined,
  ),
  columnRule('timestamp-column', (where, column, name) =>
    typeOf(column) === 'timestamp'
      ? {
          problem: `${where} is a timestamp without a time zone: its point in time is ambiguous`,
          instead: `${name} timestamptz`,
        }
      : undefined,
  ),
  columnRule('serial-column', (where, column, name) =>
    /serial/.test(typeOf(column))
      ? {
          problem: `${where} is serial: its sequence has its own owner and grants`,
          instead: `${name} bigint GENERATED ALWAYS AS IDENTITY`,
        }
      : undefined,
  ),
  columnRule('small-primary-key', (where, column, name) =>
    /^(int2|int4|smallint|integer)$/.test(typeOf(column)) &&
    constraintsOf(column).some(({ contype }) => contype === 'CONSTR_PRIMARY')
      ? {
          problem: `${where} is a key that runs out at 2,147,483,647 rows at most`,
          instead: `${name} uuid DEFAULT uuidv7(), or bigint`,
        }
      : undefined,
  ),
  {
    name: 'constrained-domain',
    find: ({ node }) =>
      'CreateDomainStmt' in node && (node.CreateDomainStmt.constraints ?? []).length > 0
        ? {
            problem: `changing the constraint of domain ${qualify(node.CreateDomainStmt.domainname)} later scans every table that uses it`,
            instead: 'put the CHECK on the column of each table',
          }
        : undefined,
  },
  {
    name: 'create-enum',
    find: ({ node }) =>
      'CreateEnumStmt' in node
        ? {
            problem: `no value can ever be removed from enum ${qualify(node.CreateEnumStmt.typeName)}`,
            instead: `a text column with CHECK (… IN (${stringsOf(node.CreateEnumStmt.vals).map(quoteLiteral).join(', ')})), or a table of values`,
          }
        : undefined,
  },
  {
    name: 'enum-value-order',
    find: ({ node }) => {
      if (!('AlterEnumStmt' in node) || node.AlterEnumStmt.oldVal || node.AlterEnumStmt.newValNeighbor)
        return undefined;
      const [value, type] = [quoteLiteral(node.AlterEnumStmt.newVal ?? ''), qualify(node.AlterEnumStmt.typeName)];
      return {
        problem: `the place of ${value} in the order of ${type} is not stated`,
        instead: `ALTER TYPE ${type} ADD VALUE ${value} AFTER '<its neighbour>'`,
      };
    },
  },
  {
    name: 'enum-value-used',
    find: ({ earlier, node }) => {
      const added = earlier.flatMap((other) =>
        'AlterEnumStmt' in other && !other.AlterEnumStmt.oldVal ? [other.AlterEnumStmt.newVal ?? ''] : [],
      );
      return added
        .filter((value) => someNode(node, (_, body) => hasString(body, value)))
        .map((value) => ({
          problem: `${quoteLiteral(value)} cannot be used in the transaction that adds it (55P04)`,
          instead: `move this statement to the next migration`,
        }));
    },
  },
];

function hasString(body: Record<string, unknown>, value: string): boolean {
  return (body['sval'] as { readonly sval?: string } | undefined)?.sval === value;
}
