import type { Constraint } from 'libpg-query';
import { alterCommands, alterRule, constraintRule, constraintsOf, type Rule } from '../rule.js';
import { bareName, nameOf, stringsOf } from '../statement.js';

const LATER = (table: string, name: string) =>
  `and in the next migration ALTER TABLE ${table} VALIDATE CONSTRAINT ${name}`;

function uniqueIndex(table: string, { keys, conname }: Constraint): { index: string; columns: string } {
  const columns = stringsOf(keys);
  return { columns: columns.join(', '), index: conname ?? `${bareName(table)}_${columns.join('_')}_key` };
}

function viaIndex(table: string, constraint: Constraint, word: string): string {
  const { index, columns } = uniqueIndex(table, constraint);
  return (
    `CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ${index} ON ${table} (${columns}) in a migration of its own, ` +
    `then ALTER TABLE ${table} ADD CONSTRAINT ${index} ${word} USING INDEX ${index}`
  );
}

/** A constraint is cheap to declare and dear to check: the check must not run under the lock of the declaration. */
export const constraintRules: readonly Rule[] = [
  alterRule('set-not-null', 'AT_SetNotNull', ({ table, cmd }) => {
    const name = `${bareName(table)}_${cmd.name}_not_null`;
    return {
      problem: `SET NOT NULL scans ${table} under an ACCESS EXCLUSIVE lock`,
      instead: `ALTER TABLE ${table} ADD CONSTRAINT ${name} NOT NULL ${cmd.name} NOT VALID, ${LATER(table, name)}`,
    };
  }),
  constraintRule('add-not-null-validating', 'CONSTR_NOTNULL', (table, { conname, keys, skip_validation: isLater }) => {
    const name = conname ?? `${bareName(table)}_${stringsOf(keys).join('_')}_not_null`;
    return isLater
      ? undefined
      : {
          problem: `the NOT NULL constraint ${name} scans ${table} under an ACCESS EXCLUSIVE lock`,
          instead: `ALTER TABLE ${table} ADD CONSTRAINT ${name} NOT NULL ${stringsOf(keys).join(', ')} NOT VALID, ${LATER(table, name)}`,
        };
  }),
  alterRule('add-required-column', 'AT_AddColumn', ({ table, column }) => {
    const kinds = constraintsOf(column).map(({ contype }) => contype);
    const isFilled = kinds.some(
      (kind) => kind === 'CONSTR_DEFAULT' || kind === 'CONSTR_GENERATED' || kind === 'CONSTR_IDENTITY',
    );
    return !kinds.includes('CONSTR_NOTNULL') || isFilled
      ? undefined
      : {
          problem: `${table}.${column?.colname} is required and has no default: this fails on rows, and so do inserts of the code that still runs`,
          instead: `give it a constant DEFAULT, or add it without NOT NULL and require it once it is filled`,
        };
  }),
  alterRule('add-column-references', 'AT_AddColumn', ({ table, column }) => {
    const reference = constraintsOf(column).find(({ contype }) => contype === 'CONSTR_FOREIGN');
    const name = `${bareName(table)}_${column?.colname}_fkey`;
    return reference === undefined
      ? undefined
      : {
          problem: `the reference of ${table}.${column?.colname} locks ${table} and ${nameOf(reference.pktable)} against writes while it is checked`,
          instead: `add the column alone; then ALTER TABLE ${table} ADD CONSTRAINT ${name} FOREIGN KEY (${column?.colname}) REFERENCES ${referred(reference)} NOT VALID, ${LATER(table, name)}`,
        };
  }),
  constraintRule('add-foreign-key', 'CONSTR_FOREIGN', (table, constraint) => {
    const { conname, fk_attrs: columns, pktable, skip_validation: isLater } = constraint;
    const name = conname ?? `${bareName(table)}_${stringsOf(columns).join('_')}_fkey`;
    return isLater
      ? undefined
      : {
          problem: `checking ${name} locks ${table} and ${nameOf(pktable)} against writes while it scans`,
          instead: `ALTER TABLE ${table} ADD CONSTRAINT ${name} FOREIGN KEY (${stringsOf(columns).join(', ')}) REFERENCES ${referred(constraint)} NOT VALID, ${LATER(table, name)}`,
        };
  }),
  constraintRule('add-check', 'CONSTR_CHECK', (table, { conname, skip_validation: isLater }, statement) => {
    const name = conname ?? `${bareName(table)}_check`;
    return isLater
      ? undefined
      : {
          problem: `checking ${name} scans ${table} under an ACCESS EXCLUSIVE lock`,
          instead: `${alterCommands(statement).length === 1 ? statement.sql : `ALTER TABLE ${table} ADD CONSTRAINT ${name} CHECK (…)`} NOT VALID, ${LATER(table, name)}`,
        };
  }),
  {
    name: 'validate-with-add',
    find: (statement) =>
      alterCommands(statement)
        .filter(({ cmd }) => cmd.subtype === 'AT_ValidateConstraint')
        .filter(({ table, cmd }) => addsConstraint(statement, table, cmd.name))
        .map(({ table, cmd }) => ({
          problem: `validating ${cmd.name} in the transaction that added it scans ${table} under the strong lock of the ADD`,
          instead: `put ALTER TABLE ${table} VALIDATE CONSTRAINT ${cmd.name} into the next migration`,
        })),
  },
  constraintRule('add-unique', 'CONSTR_UNIQUE', (table, constraint) =>
    constraint.indexname
      ? undefined
      : {
          problem: `the index of the unique constraint is built while nobody may use ${table}`,
          instead: viaIndex(table, constraint, 'UNIQUE'),
        },
  ),
  constraintRule('add-primary-key', 'CONSTR_PRIMARY', (table, constraint) =>
    constraint.indexname
      ? undefined
      : {
          problem: `the index of the primary key is built, and NOT NULL checked, while nobody may use ${table}`,
          instead: viaIndex(table, constraint, 'PRIMARY KEY'),
        },
  ),
  constraintRule('add-exclusion', 'CONSTR_EXCLUSION', (table, { conname }) => ({
    problem: `the exclusion constraint ${conname ?? ''} builds its index while nobody may use ${table}; it knows neither NOT VALID nor USING INDEX`,
    instead: `make a new table with the constraint, write both, and copy the rows of ${table} in a job`,
  })),
];

function referred({ pktable, pk_attrs: columns }: Constraint): string {
  return columns ? `${nameOf(pktable)} (${stringsOf(columns).join(', ')})` : nameOf(pktable);
}

function addsConstraint({ earlier }: Parameters<Rule['find']>[0], table: string, name: string | undefined): boolean {
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
