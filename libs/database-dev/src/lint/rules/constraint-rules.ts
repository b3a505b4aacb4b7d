import type { Constraint } from 'libpg-query';
import { domainOf } from '../syntax/domains.js';
import { inventName, nameOf, quoteIdentifier, quoteList, stringsOf } from '../syntax/names.js';
import {
  type AlterCommand,
  alterCommands,
  alterRule,
  constraintRule,
  constraintsOf,
  isFilled,
  NEXT_MIGRATION,
  OWN_MIGRATION,
  type LintRule,
  steps,
  typeText,
} from './lint-rule.js';
import { clauseAt, tokensOf } from '../syntax/source-text.js';
import type { ParsedStatement } from '../syntax/statement.js';

type AddConstraint = AlterCommand & { readonly constraint: Constraint };

/** Declared for new rows first, and checked for old ones later under a weaker lock. */
function validateLater(table: string, name: string, definition: string): string {
  return steps(
    `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition} NOT VALID`,
    NEXT_MIGRATION,
    `ALTER TABLE ${table} VALIDATE CONSTRAINT ${name}`,
  );
}

/** The source text of the definition, without its name and without NOT VALID. */
function definitionOf(constraint: Constraint, { sql }: ParsedStatement): string {
  const text = clauseAt(sql, constraint.location);
  return constraint.conname === undefined ? text : text.replace(/^CONSTRAINT\s+(?:"(?:[^"]|"")*"|\S+)\s+/i, '');
}

function nameConstraint({ relation, constraint }: AddConstraint, columns: readonly string[], label: string): string {
  return constraint.conname === undefined
    ? inventName([relation.relname, ...columns], label)
    : quoteIdentifier(constraint.conname);
}

function viaIndex(command: AddConstraint, label: string, word: string): string {
  const { table, constraint } = command;
  const name = nameConstraint(command, label === 'pkey' ? [] : stringsOf(constraint.keys), label);
  const nulls = constraint.nulls_not_distinct ? ' NULLS NOT DISTINCT' : '';
  const include = constraint.including ? ` INCLUDE (${quoteList(constraint.including)})` : '';
  return steps(
    OWN_MIGRATION,
    `CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ${name} ON ${table} (${quoteList(constraint.keys)})${include}${nulls}`,
    NEXT_MIGRATION,
    `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${word} USING INDEX ${name}`,
  );
}

/** A constraint is cheap to declare and slow to check, so the check must not run under the lock of the declaration. */
export const constraintRules: readonly LintRule[] = [
  alterRule('set-not-null', 'AT_SetNotNull', ({ relation, table, cmd }) => ({
    problem: `SET NOT NULL scans ${table} under an ACCESS EXCLUSIVE lock`,
    instead: validateLater(
      table,
      inventName([relation.relname, cmd.name], 'not_null'),
      `NOT NULL ${quoteIdentifier(cmd.name ?? '')}`,
    ),
  })),
  constraintRule('add-not-null-validating', 'CONSTR_NOTNULL', (command) => {
    const { table, constraint } = command;
    const name = nameConstraint(command, stringsOf(constraint.keys), 'not_null');
    return constraint.skip_validation
      ? undefined
      : {
          problem: `the NOT NULL constraint ${name} scans ${table} under an ACCESS EXCLUSIVE lock`,
          instead: validateLater(table, name, `NOT NULL ${quoteList(constraint.keys)}`),
        };
  }),
  alterRule('add-required-column', 'AT_AddColumn', ({ table, column }, statement) => {
    const domain = domainOf(statement, column);
    const isRequired = domain?.isRequired || constraintsOf(column).some(({ contype }) => contype === 'CONSTR_NOTNULL');
    return !isRequired || isFilled(column) || typeof domain?.default === 'string'
      ? undefined
      : {
          problem: `${table}.${quoteIdentifier(column?.colname ?? '')} is required and has no default: this fails if the table has rows, and inserts of the running code fail`,
          instead: `give it a constant DEFAULT, or add it without NOT NULL and require it once it is filled`,
        };
  }),
  alterRule('add-column-references', 'AT_AddColumn', ({ relation, table, column }, statement) => {
    const reference = constraintsOf(column).find(({ contype }) => contype === 'CONSTR_FOREIGN');
    if (reference === undefined) return undefined;
    const name = reference.conname
      ? quoteIdentifier(reference.conname)
      : inventName([relation.relname, column?.colname], 'fkey');
    const columnName = quoteIdentifier(column?.colname ?? '');
    return {
      problem: `the reference of ${table}.${columnName} locks ${table} and ${nameOf(reference.pktable)} against writes while it is checked`,
      instead: `${steps(`ALTER TABLE ${table} ADD COLUMN ${columnName} ${typeText(statement, column)}`)}\n${validateLater(
        table,
        name,
        `FOREIGN KEY (${columnName}) ${referenceText(statement, column, reference)}`,
      )}`,
    };
  }),
  constraintRule('add-foreign-key', 'CONSTR_FOREIGN', (command, statement) => {
    const { table, constraint } = command;
    const name = nameConstraint(command, stringsOf(constraint.fk_attrs), 'fkey');
    return constraint.skip_validation
      ? undefined
      : {
          problem: `checking ${name} locks ${table} and ${nameOf(constraint.pktable)} against writes while it scans`,
          instead: validateLater(table, name, definitionOf(constraint, statement)),
        };
  }),
  constraintRule('add-check', 'CONSTR_CHECK', (command, statement) => {
    const { table, constraint } = command;
    const name = nameConstraint(command, [], 'check');
    return constraint.skip_validation
      ? undefined
      : {
          problem: `checking ${name} scans ${table} under an ACCESS EXCLUSIVE lock`,
          instead: validateLater(table, name, definitionOf(constraint, statement)),
        };
  }),
  {
    name: 'validate-with-add',
    find: (statement) =>
      alterCommands(statement)
        .filter(({ cmd }) => cmd.subtype === 'AT_ValidateConstraint')
        .filter(({ table, cmd }) => addsConstraint(statement, table, cmd.name))
        .map(({ table, cmd }) => ({
          problem: `validating ${quoteIdentifier(cmd.name ?? '')} in the transaction that added it scans ${table} under the strong lock of the ADD`,
          instead: steps(NEXT_MIGRATION, `ALTER TABLE ${table} VALIDATE CONSTRAINT ${quoteIdentifier(cmd.name ?? '')}`),
        })),
  },
  constraintRule('add-unique', 'CONSTR_UNIQUE', (command) =>
    command.constraint.indexname
      ? undefined
      : {
          problem: `the index of the unique constraint is built under an ACCESS EXCLUSIVE lock on ${command.table}`,
          instead: viaIndex(command, 'key', 'UNIQUE'),
        },
  ),
  constraintRule('add-primary-key', 'CONSTR_PRIMARY', (command) =>
    command.constraint.indexname
      ? undefined
      : {
          problem: `the index of the primary key is built, and NOT NULL checked, under an ACCESS EXCLUSIVE lock on ${command.table}`,
          instead: viaIndex(command, 'pkey', 'PRIMARY KEY'),
        },
  ),
  constraintRule('add-exclusion', 'CONSTR_EXCLUSION', ({ table, constraint }) => ({
    problem: `the exclusion constraint ${quoteIdentifier(constraint.conname ?? '')} builds its index under an ACCESS EXCLUSIVE lock on ${table}; it supports neither NOT VALID nor USING INDEX`,
    instead: `create a new table with the constraint, write both, and copy the rows of ${table} in a job`,
  })),
];

/** From REFERENCES to the next constraint of the column. */
function referenceText({ sql }: ParsedStatement, column: AlterCommand['column'], { location = 0 }: Constraint): string {
  const others = constraintsOf(column).flatMap((other) =>
    other.location !== undefined && other.location > location && !/^CONSTR_ATTR/.test(other.contype ?? '')
      ? [other.location]
      : [],
  );
  const keyword = tokensOf(sql).find(({ start, text }) => start >= location && /^references$/i.test(text));
  return clauseAt(sql, keyword?.start, ({ start }) => others.includes(start));
}

function addsConstraint({ earlier }: ParsedStatement, table: string, name: string | undefined): boolean {
  return earlier.some(
    (node) =>
      'AlterTableStmt' in node &&
      nameOf(node.AlterTableStmt.relation) === table &&
      (node.AlterTableStmt.cmds ?? []).some(
        (cmd) =>
          'AlterTableCmd' in cmd &&
          cmd.AlterTableCmd.def !== undefined &&
          'Constraint' in cmd.AlterTableCmd.def &&
          cmd.AlterTableCmd.def.Constraint.conname === name,
      ),
  );
}
