import { MigrationError } from '../model/migration-error.js';
import type { Seeds, TableSeeds } from '../model/define-seeds.js';
import { HashedValues } from './hashed-values.js';

/** A row of a table, by property, and the index that it was made for. */
export interface IndexedRow {
  readonly index: number;
  readonly row: Readonly<Record<string, unknown>>;
}

const LESS_KNOWN_PERCENT = 25;
const EARLIER_PERCENT = 60;
const FIRST_NUMBER = 1000;
/** A quarter of them is of that user: few users in a batch are few statements. */
const INDEXES_PER_USER = 16;

/** The same user for the same index: three of four rows belong to the named users, and many others have few. */
export function userOf(index: number, users: Seeds['users']): string {
  const sample = new HashedValues(`user ${index}`);
  if (index >= users.length && sample.chance(LESS_KNOWN_PERCENT))
    return `user_${FIRST_NUMBER + Math.floor(index / INDEXES_PER_USER)}`;
  // At first each has one, so that none has none.
  if (index < users.length) return users[index] as string;
  for (const user of users.slice(0, -1)) if (sample.chance(EARLIER_PERCENT)) return user;
  return users.at(-1) as string;
}

/**
 * The rows of a table for one user.
 *
 * @param parents for a table with `of`, its rows; for others the indexes
 */
export function createRows(seeds: TableSeeds, userId: string, parents: readonly Partial<IndexedRow>[]): IndexedRow[] {
  const rows = parents.flatMap(({ index = 0, row: parent }) => {
    const source = parent && seeds.of ? seeds.of.key.map((name) => toText(parent[name])) : [index];
    const sample = new HashedValues([seeds.table, userId, ...source].join('\n'));
    const made = seeds.create({ userId, index, parent: parent as never, sample });
    return made.map((row) => ({ index, row: row as IndexedRow['row'] }));
  });
  assertSameProperties(seeds, rows);
  return rows;
}

/** @throws MigrationError for rows that one statement cannot add, and for rows that the next run would add again */
function assertSameProperties({ table, key }: TableSeeds, rows: readonly IndexedRow[]): void {
  const lists = new Set(rows.map(({ row }) => Object.keys(row).sort().join(', ')));
  if (lists.size > 1)
    throw new MigrationError(
      `seeds of ${table}: rows have different properties: ${[...lists].join(' and ')}; expected the same in each`,
    );
  const missing = key.filter((property) => rows.some(({ row }) => row[property] === undefined));
  if (missing.length > 0)
    throw new MigrationError(
      `seeds of ${table}: rows state no ${missing.join(', ')}; expected each property of their key`,
    );
}

function toText(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value);
}

/** All rows of the first indexes without a database, where no user has changed one. */
export function previewRows({ users, tables }: Seeds, size: number): Record<string, IndexedRow['row'][]> {
  const all: Record<string, IndexedRow['row'][]> = {};
  for (let index = 0; index < size; index += 1) {
    const userId = userOf(index, users);
    const made = new Map<TableSeeds, IndexedRow[]>();
    for (const seeds of tables) {
      const rows = createRows(seeds, userId, seeds.of ? (made.get(seeds.of) ?? []) : [{ index }]);
      made.set(seeds, rows);
      (all[seeds.table] ??= []).push(...rows.map(({ row }) => row));
    }
  }
  return all;
}
