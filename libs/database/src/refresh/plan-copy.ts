import type { Classes, ColumnClass, Personal } from '../model/column-classes.js';
import { KnownFields } from './known-fields.js';
import { createMask, hasEscapes } from './masks/create-mask.js';
import type { KeyedHash } from './masks/keyed-hash.js';
import { type MaskedType, UnfitMaskError, type ValueMask } from './masks/mask.js';
import { masksByPerson } from './masks/time-masks.js';
import type { ColumnFacts, ForeignKey, TableFacts } from './read-tables.js';
import { RefreshRefusal } from './refresh-errors.js';

/** One column of the result. A secret column has no plan, so that the server writes its default. */
export interface ColumnPlan {
  readonly name: string;
  readonly facts: ColumnFacts;
  readonly treatment:
    | { readonly kind: 'keep' }
    | { readonly kind: 'fixed'; readonly value: string }
    | {
        readonly kind: 'mask';
        readonly mask: ValueMask;
        readonly nulls: Personal['nulls'];
        /** A masked value may hold a sign that COPY escapes. */
        readonly hasEscapes: boolean;
        /** Columns with the same person share them. */
        readonly known: KnownFields;
      };
}

export interface TablePlan {
  readonly table: string;
  /** `r`, or `p` for a partitioned table, whose rows are in its partitions. */
  readonly kind: string;
  readonly columns: readonly ColumnPlan[];
  /** The column that names the person whom a row is about. */
  readonly person: string | undefined;
  /** The primary key, if it is one column and the result has the same values. */
  readonly keptKey: string | undefined;
}

export interface PlanInput {
  readonly tables: readonly TableFacts[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly classes: Classes;
}

/**
 * @returns a plan for each table that has anything to copy
 * @throws RefreshRefusal that lists every column whose class does not fit it
 */
export function planCopy(input: PlanInput, hash: KeyedHash): TablePlan[] {
  const problems = findUnclassified(input).map(({ table, column, problem }) => `${table}.${column} ${problem}`);
  const context = { ...input, hash, problems, persons: new Map() };
  const plans = problems.length > 0 ? [] : judgedTables(input).map((table) => planTable(table, context));
  if (problems.length === 0) return plans.filter(({ columns }) => columns.length > 0);
  throw new RefreshRefusal(
    'UnfitClasses',
    [
      `classes of columns: ${problems.length} do not fit the schema; expected a class that fits each column`,
      ...problems.map((problem) => `  ${problem}`),
      '  correct the classes beside the entity, in libs/model/src/entities/',
    ].join('\n'),
  );
}

export interface Unclassified {
  readonly table: string;
  readonly column: string;
  readonly problem: 'has no class' | 'has a class but does not exist';
}

/** Each column without a class, and each class without a column. */
export function findUnclassified({ tables, classes }: Pick<PlanInput, 'tables' | 'classes'>): Unclassified[] {
  const columns = new Map(
    judgedTables({ tables }).map(({ table, columns }) => [table, columns.map(({ name }) => name)]),
  );
  const classified = new Map(Object.entries(classes).map(([table, of]) => [table, Object.keys(of)]));
  const compare = (all: typeof columns, others: typeof columns, problem: Unclassified['problem']) =>
    [...all].flatMap(([table, names]) =>
      names.filter((name) => !others.get(table)?.includes(name)).map((column) => ({ table, column, problem })),
    );
  return [
    ...compare(columns, classified, 'has no class'),
    ...compare(classified, columns, 'has a class but does not exist'),
  ];
}

/** A view has no rows, and a foreign table those of another system: neither is ever filled. */
function judgedTables({ tables }: Pick<PlanInput, 'tables'>): TableFacts[] {
  return tables.filter(({ kind }) => kind === 'r' || kind === 'p');
}

interface Context extends PlanInput {
  readonly hash: KeyedHash;
  readonly problems: string[];
  readonly persons: Map<ColumnFacts, KnownFields>;
}

function planTable({ table, kind, columns }: TableFacts, context: Context): TablePlan {
  const resolved = columns.map((facts) => ({ facts, ...resolve({ table, column: facts.name }, context) }));
  // No row of a table crosses that is secret as a whole.
  if (resolved.every(({ of }) => of === 'secret'))
    return { table, kind, columns: [], person: undefined, keptKey: undefined };
  const person = resolved.find(({ of }) => isPerson(of))?.facts.name;
  const planned = resolved.flatMap(({ facts, of, root }): ColumnPlan[] => {
    if (facts.isGenerated) return [];
    const treatment = treat(of, { table, facts, root: root ?? facts, person, context });
    return treatment ? [{ name: facts.name, facts, treatment }] : [];
  });
  const keptKey = planned.find(({ facts, treatment }) => facts.isKey && treatment.kind === 'keep')?.name;
  return { table, kind, columns: planned, person, keptKey };
}

function treat(
  of: ColumnClass,
  {
    table,
    facts,
    root,
    person,
    context,
  }: { table: string; facts: ColumnFacts; root: ColumnFacts; person: string | undefined; context: Context },
): ColumnPlan['treatment'] | undefined {
  if (of === 'public' || of === 'internal' || of === 'key') return { kind: 'keep' };
  if (of === 'secret') {
    if (facts.isRequired && !facts.hasDefault)
      context.problems.push(
        `${table}.${facts.name} is secret and required; expected inCopy('secret', '…') or a default`,
      );
    return undefined;
  }
  if (of.class !== 'personal') return { kind: 'fixed', value: of.value };
  const isUnique = needsUnique(facts, person) || (root !== facts && needsUnique(root));
  try {
    return {
      kind: 'mask',
      mask: createMask(context.hash, of.mask, toMaskedType(root, isUnique)),
      nulls: of.nulls,
      hasEscapes: hasEscapes(of.mask, root),
      known: isPerson(of) ? loadKnown(root, context) : new KnownFields({ isShared: false }),
    };
  } catch (error) {
    if (!(error instanceof UnfitMaskError)) throw error;
    context.problems.push(`${table}.${facts.name} ${error.message}`);
    return undefined;
  }
}

function loadKnown(root: ColumnFacts, { persons }: Context): KnownFields {
  const known = persons.get(root) ?? new KnownFields({ isShared: true });
  persons.set(root, known);
  return known;
}

export function toMaskedType(facts: ColumnFacts, isUnique = facts.uniqueKeys.length > 0): MaskedType {
  return {
    ...facts,
    isUnique,
    maxLength: facts.maxLength ?? undefined,
    subtype: facts.subtype ?? undefined,
  };
}

/** Moments of one person are moved by the same, so they stay apart where the key holds the person too. */
function needsUnique(facts: ColumnFacts, person?: string): boolean {
  const keys =
    person === undefined || !masksByPerson(facts)
      ? facts.uniqueKeys
      : facts.uniqueKeys.filter((key) => !key.includes(person));
  return keys.length > 0;
}

interface Place {
  readonly table: string;
  readonly column: string;
}

/** A column of a foreign key takes the class, and the type for its mask, of the column at the end of its keys. */
function resolve(
  place: Place,
  context: Context,
  passed: readonly string[] = [],
): { of: ColumnClass; root?: ColumnFacts } {
  const name = `${place.table}.${place.column}`;
  const own = context.classes[place.table]![place.column]!;
  const targets = listTargets(place, context);
  if (own !== 'key') {
    // Nothing of a secret column is written, so nothing of it has to match.
    for (const target of own === 'secret' ? [] : targets) {
      const { of } = passed.includes(name) ? { of: own } : resolve(target, context, [...passed, name]);
      if (JSON.stringify(of) !== JSON.stringify(own))
        note(context, `${name} points at ${target.table}.${target.column}, which has another class; expected 'key'`);
    }
    return { of: own, root: rootOf(place, context) };
  }
  const [target] = targets;
  if (!target) note(context, `${name} has the class key and no foreign key; expected a class`);
  else if (passed.includes(name))
    note(context, `${name} follows keys in a circle; expected one column of it with a class`);
  else return resolve(target, context, [...passed, name]);
  return { of: 'secret', root: factsOf(place, context) };
}

/** The type decides the mask of a number, and both sides of a key need the same. */
function rootOf(place: Place, context: Context, passed: readonly string[] = []): ColumnFacts {
  const name = `${place.table}.${place.column}`;
  const [target] = listTargets(place, context);
  return !target || passed.includes(name) ? factsOf(place, context) : rootOf(target, context, [...passed, name]);
}

function listTargets({ table, column }: Place, { foreignKeys }: Context): Place[] {
  return foreignKeys
    .filter((key) => key.table === table && key.columns.includes(column))
    .map((key) => ({ table: key.target, column: key.targetColumns[key.columns.indexOf(column)]! }))
    .filter((target) => target.table !== table || target.column !== column);
}

function factsOf({ table, column }: Place, { tables }: Context): ColumnFacts {
  return tables.find((one) => one.table === table)!.columns.find(({ name }) => name === column)!;
}

function note({ problems }: Context, problem: string): void {
  if (!problems.includes(problem)) problems.push(problem);
}

function isPerson(of: ColumnClass): boolean {
  return (
    typeof of === 'object' &&
    of.class === 'personal' &&
    typeof of.mask === 'object' &&
    of.mask.kind === 'identifier' &&
    of.mask.isPerson
  );
}
