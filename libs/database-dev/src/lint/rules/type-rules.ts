import type { ParsedStatement } from '../syntax/statement.js';
import { type ColumnType, definedTypes } from './column-types.js';
import { isSerial, type LintProblem, type LintRule } from './lint-rule.js';

interface TypeRule {
  readonly name: string;
  readonly describe: (column: ColumnType) => LintProblem | undefined;
}

/** A type is cheap to choose and expensive to change. */
const columnTypeRules: readonly TypeRule[] = [
  {
    name: 'json-column',
    describe: ({ where, definition, type }) =>
      type === 'json'
        ? {
            problem: `${where} is json, which has no equality: SELECT DISTINCT and GROUP BY fail`,
            instead: `${definition} jsonb`,
          }
        : undefined,
  },
  {
    name: 'varchar-column',
    describe: ({ where, definition, type, hasLength }) =>
      // Without a length, varchar is text: TypeORM uses it for every string.
      /^(varchar|bpchar|char)$/.test(type) && hasLength
        ? {
            problem: `${where} is ${type === 'bpchar' ? 'char' : type}(n): another length means another type, and a lock on the table`,
            instead: `${definition} text, with a CHECK on char_length(${/ AS$/.test(definition) ? '<the column>' : definition})`,
          }
        : undefined,
  },
  {
    name: 'timestamp-column',
    describe: ({ where, definition, type }) =>
      type === 'timestamp'
        ? {
            problem: `${where} is a timestamp without a time zone: its point in time is ambiguous`,
            instead: `${definition} timestamptz`,
          }
        : undefined,
  },
  {
    name: 'serial-column',
    describe: ({ where, definition, type }) =>
      isSerial(type)
        ? {
            problem: `${where} is serial: its sequence has its own owner and grants`,
            instead: `${definition} bigint GENERATED ALWAYS AS IDENTITY`,
          }
        : undefined,
  },
  {
    name: 'small-primary-key',
    describe: ({ where, definition, type, isKey }) =>
      /^(int2|int4|smallint|integer)$/.test(type) && isKey
        ? {
            problem: `${where} is a key that runs out at 2,147,483,647 rows at most`,
            instead: `${definition} uuid DEFAULT uuidv7(), or bigint`,
          }
        : undefined,
  },
];

/** The problems of one type, each with the name of its rule. */
export function judgeType(column: ColumnType): (LintProblem & { readonly rule: string })[] {
  return columnTypeRules.flatMap(({ name, describe }) => {
    const problem = describe(column);
    return problem === undefined ? [] : [{ rule: name, ...problem }];
  });
}

export const typeRules: readonly LintRule[] = [
  ...columnTypeRules.map(({ name, describe }) => ({
    name,
    find: (statement: ParsedStatement) => definedTypes(statement).flatMap((column) => describe(column) ?? []),
  })),
];
