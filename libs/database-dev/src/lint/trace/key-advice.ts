import { NEXT_MIGRATION, OWN_MIGRATION, steps } from '../rules/lint-rule.js';
import { inventName, quoteIdentifier } from '../syntax/names.js';
import type { Reference, TracedKey } from './key-state.js';

/** The owner columns of the key's table and of the table that it refers to. */
interface Owners {
  readonly owner: string;
  readonly targetOwner: string;
}

/** The foreign key with both owners in front, its actions included. */
export function referWithOwner(key: TracedKey & { readonly reference: Reference }, owners: Owners): string {
  const { table, bare, isTableKnown, isTargetKnown, reference } = key;
  const [own, others] = addOwners(key, owners);
  const name = inventName([bare, ...own], 'fkey');
  const index = `${inventName([reference.bare, ...others], 'key')} ON ${reference.table} (${list(others)})`;
  const definition = `FOREIGN KEY (${list(own)}) REFERENCES ${reference.table} (${list(others)})${optionsOf(reference, own.slice(1))}`;
  const isConcurrent = isTargetKnown && !reference.isPartitioned;
  return steps(
    ...createIndex(index, isConcurrent),
    ...(isConcurrent ? [NEXT_MIGRATION] : []),
    `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}${isTableKnown ? ' NOT VALID' : ''}`,
    ...(isTableKnown ? [NEXT_MIGRATION, `ALTER TABLE ${table} VALIDATE CONSTRAINT ${name}`] : []),
    ...dropOld(key),
  );
}

function addOwners(
  { columns, reference }: TracedKey & { readonly reference: Reference },
  { owner, targetOwner }: Owners,
): [own: string[], others: string[]] {
  const pairs = columns.map((column, index) => [column ?? '', reference.columns[index] ?? ''] as const);
  const own = pairs.map(([column]) => column).filter((column) => column !== owner);
  const others = pairs.map(([, column]) => column).filter((column) => column !== targetOwner);
  if (own.length === others.length)
    return [
      [owner, ...own],
      [targetOwner, ...others],
    ];
  // One side has its owner, compared with another column.
  const rest = pairs.filter(([column, other]) => column !== owner && other !== targetOwner);
  return [
    [owner, ...rest.map(([column]) => column)],
    [targetOwner, ...rest.map(([, other]) => other)],
  ];
}

/** SET NULL without columns would remove the owner too; ON UPDATE has no columns. */
function optionsOf({ onDelete, onUpdate, deferral }: Reference, columns: readonly string[]): string {
  const options = [
    ...(onDelete === null ? [] : [`ON DELETE ${onDelete}${onDelete.startsWith('SET') ? ` (${list(columns)})` : ''}`]),
    ...(onUpdate === null || onUpdate.startsWith('SET') ? [] : [`ON UPDATE ${onUpdate}`]),
    ...(deferral === null ? [] : [deferral]),
  ];
  return options.map((option) => ` ${option}`).join('');
}

/** The unique key with the owner in front, with every option of its index. */
export function identifyWithOwner(key: TracedKey, owner: string): string {
  const { table, bare, columns, kind, name, isNew, isTableKnown, isPartitioned, definition } = key;
  const withOwner = [owner, ...columns.map((column) => column ?? 'expr')];
  const prefix = `CREATE UNIQUE INDEX ${name} ON ${table}`;
  const [, elements] = / USING btree \((.*)$/s.exec(definition.slice(prefix.length)) ?? [];
  if (kind === 'x' || elements === undefined)
    return `add ${quoteIdentifier(owner)} to it, in an exclusion constraint WITH =; in a gist index it needs the extension btree_gist`;
  if (kind === 'p') {
    const alternative = columns.length === 1 ? `${list(withOwner.slice(1))} uuid DEFAULT uuidv7(), or ` : '';
    return `${alternative}PRIMARY KEY (${list(withOwner)})`;
  }
  const newName = kind === 'i' && isNew ? name : inventName([bare, ...withOwner], 'key');
  const index = `${newName} ON ${table} (${quoteIdentifier(owner)}, ${elements}`;
  return steps(...createIndex(index, isTableKnown && !isPartitioned), ...dropOld(key));
}

/** CONCURRENTLY does not support partitioned tables. */
function createIndex(index: string, isConcurrent: boolean): string[] {
  return isConcurrent
    ? [OWN_MIGRATION, `CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ${index}`]
    : [`CREATE UNIQUE INDEX ${index}`];
}

/** The statement may expose a key that is older. */
function dropOld({ isNew, kind, table, bare, isPartitioned, name }: TracedKey): string[] {
  if (isNew) return [];
  const schema = table.slice(0, -quoteIdentifier(bare).length);
  if (kind !== 'i') return ['-- in a contract:', `ALTER TABLE ${table} DROP CONSTRAINT ${name}`];
  return isPartitioned
    ? [NEXT_MIGRATION, `DROP INDEX ${schema}${name}`]
    : [OWN_MIGRATION, `DROP INDEX CONCURRENTLY IF EXISTS ${schema}${name}`];
}

function list(columns: readonly string[]): string {
  return columns.map(quoteIdentifier).join(', ');
}
