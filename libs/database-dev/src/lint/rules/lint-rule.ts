import type { AlterTableCmd, ColumnDef, Constraint, ObjectType, RangeVar } from 'libpg-query';
import { nameOf, stringsOf } from '../syntax/names.js';
import { clauseAt } from '../syntax/source-text.js';
import type { ParsedStatement } from '../syntax/statement.js';

export interface LintProblem {
  /** The effect of the statement, with the real names of the objects. */
  readonly problem: string;
  /** The safe way. Each line that ends in a semicolon is SQL to paste. */
  readonly instead: string;
}

export interface LintRule {
  readonly name: string;
  find(statement: ParsedStatement): LintProblem | undefined | readonly LintProblem[];
}

export interface LintFinding extends LintProblem {
  readonly migration: string;
  /** Counted from 0; undefined for a finding about the file. */
  readonly statement: number | undefined;
  readonly rule: string;
}

export interface AlterCommand {
  readonly relation: RangeVar;
  /** `schema.name`, quoted where necessary. */
  readonly table: string;
  readonly cmd: AlterTableCmd;
  readonly column: ColumnDef | undefined;
  readonly constraint: Constraint | undefined;
}

/** SQL to paste in order, with comment lines between. */
export function steps(...lines: readonly string[]): string {
  return lines.map((line) => (line.startsWith('--') ? line : `${line};`)).join('\n');
}

export const NEXT_MIGRATION = '-- in the next migration:';
export const OWN_MIGRATION = '-- in its own migration, with transaction: false:';

/** The parts of an ALTER TABLE on a table that existed before this migration. */
export function alterCommands(statement: ParsedStatement): AlterCommand[] {
  const { node, created } = statement;
  if (!('AlterTableStmt' in node)) return [];
  const { relation = {}, cmds = [], objtype } = node.AlterTableStmt;
  if (created.has(nameOf(relation))) return [];
  return cmds.flatMap((cmd) =>
    'AlterTableCmd' in cmd && isJudged(objtype, cmd.AlterTableCmd) ? [createCommand(relation, cmd.AlterTableCmd)] : [],
  );
}

/** A composite type has no rows, but code reads its attributes like columns. */
function isJudged(objtype: ObjectType | undefined, { subtype }: AlterTableCmd): boolean {
  return (
    objtype === 'OBJECT_TABLE' ||
    objtype === 'OBJECT_FOREIGN_TABLE' ||
    (objtype === 'OBJECT_TYPE' && subtype === 'AT_DropColumn')
  );
}

function createCommand(relation: RangeVar, cmd: AlterTableCmd): AlterCommand {
  const { def } = cmd;
  return {
    relation,
    table: nameOf(relation),
    cmd,
    column: def && 'ColumnDef' in def ? def.ColumnDef : undefined,
    constraint: def && 'Constraint' in def ? def.Constraint : undefined,
  };
}

/** A rule about one kind of ALTER TABLE command. */
export function alterRule(
  name: string,
  subtype: AlterTableCmd['subtype'],
  describe: (command: AlterCommand, statement: ParsedStatement) => LintProblem | undefined,
): LintRule {
  return {
    name,
    find: (statement) =>
      alterCommands(statement)
        .filter(({ cmd }) => cmd.subtype === subtype)
        .flatMap((command) => describe(command, statement) ?? []),
  };
}

/** One rule about two kinds of statements. */
export function eitherRule(rule: LintRule, find: LintRule['find']): LintRule {
  return {
    name: rule.name,
    find: (statement) => [rule.find(statement), find(statement)].flatMap((found) => found ?? []),
  };
}

/** A rule about one kind of constraint that is added to an existing table. */
export function constraintRule(
  name: string,
  contype: Constraint['contype'],
  describe: (
    command: AlterCommand & { readonly constraint: Constraint },
    statement: ParsedStatement,
  ) => LintProblem | undefined,
): LintRule {
  return alterRule(name, 'AT_AddConstraint', ({ constraint, ...command }, statement) =>
    constraint !== undefined && constraint.contype === contype
      ? describe({ ...command, constraint }, statement)
      : undefined,
  );
}

export function constraintsOf(column: ColumnDef | undefined): Constraint[] {
  return (column?.constraints ?? []).flatMap((node) => ('Constraint' in node ? [node.Constraint] : []));
}

/** By the text of the column alone; its domain may fill it too. */
export function isFilled(column: ColumnDef | undefined): boolean {
  return constraintsOf(column).some(({ contype }) => /^CONSTR_(DEFAULT|GENERATED|IDENTITY)$/.test(contype ?? ''));
}

/** `varchar`, `int4`, `serial`: the last part of the type's name, in the parser's spelling. */
export function typeOf(column: ColumnDef): string {
  return stringsOf(column.typeName?.names).at(-1) ?? '';
}

/** Another type may have the word in its name. */
export function isSerial(type: string): boolean {
  return /^(small|big)?serial[248]?$/.test(type);
}

const AFTER_TYPE =
  /^(collate|using|constraint|not|null|default|check|unique|primary|references|generated|storage|compression)$/i;

/** The source text of the type, with its length and schema. */
export function typeText({ sql }: ParsedStatement, column: ColumnDef | undefined): string {
  return clauseAt(sql, column?.typeName?.location, ({ text }) => AFTER_TYPE.test(text));
}
