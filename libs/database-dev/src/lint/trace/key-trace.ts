import { combineWays, type OwnerColumns, ownerColumns } from '../syntax/owner-columns.js';
import type { ExposedKey, KeySecurity, KeyState, KeyTrace, PolicyState } from './key-state.js';

/** By the state after the migration, because a policy often follows its table. */
export function traceKeys(
  stages: Readonly<Record<'known' | 'before' | 'after' | 'last', KeySecurity>>,
  tables: Tables,
): KeyTrace {
  const { known, before, after, last } = stages;
  const [exposedBefore, exposedAfter, exposedAtFirst] = [before, after, known].map(exposedKeys) as [
    Exposed,
    Exposed,
    Exposed,
  ];
  return {
    exposed: exposedKeys(last)
      .filter((key) => !has(exposedAtFirst, key))
      .filter((key) =>
        has(known.keys, key)
          ? has(exposedAfter, key) && !has(exposedBefore, key)
          : has(after.keys, key) && !has(before.keys, key),
      )
      .map((key) => ({
        ...key,
        isNew: !has(known.keys, key),
        isTableKnown: tables.has(key.oid),
        isTargetKnown: tables.has(key.reference?.oid ?? 0),
      })),
  };
}

type Tables = ReadonlyMap<number, unknown>;
type Exposed = readonly ExposedKey[];

function has(keys: readonly KeyState[], { identity }: KeyState): boolean {
  return keys.some((key) => key.identity === identity);
}

function exposedKeys({ keys, secured, userFunctions }: KeySecurity): Exposed {
  const access = new Map(
    [...Map.groupBy(secured, ({ oid }) => oid)].map(([oid, levels]) => [
      oid,
      describeAccess(
        levels.map(({ policies }) => policies),
        userFunctions,
      ),
    ]),
  );
  return keys
    .filter(({ parent }) => parent === null || !access.has(parent))
    .flatMap((key) => {
      const [own, target] = [access.get(key.oid), access.get(key.reference?.oid ?? 0)];
      if (own === undefined || !own.isWritable) return [];
      const isHidden = key.kind === 'f' ? target?.isHiding : own.isHiding && !key.isRandom;
      return isHidden && !containsOwner(key, own, target)
        ? [{ ...key, owner: own.written[0], targetOwner: target?.seen[0] }]
        : [];
    });
}

function containsOwner({ columns, reference }: KeyState, own: Access, target: Access | undefined): boolean {
  return columns.some(
    (column, index) =>
      column !== null &&
      own.written.includes(column) &&
      (reference === null || target?.seen.includes(reference.columns[index] ?? '')),
  );
}

interface Access {
  readonly isWritable: boolean;
  /** Some users do not see some rows. */
  readonly isHiding: boolean;
  /** Columns that contain the user in every row that this user can write. */
  readonly written: readonly string[];
  /** Columns that make a row visible to the user whom they contain. */
  readonly seen: readonly string[];
}

/** @param levels the policies of a table, and of each table that it is a partition or a child of */
function describeAccess(levels: readonly (readonly PolicyState[])[], userFunctions: readonly string[]): Access {
  const read = (expression: string | null) => ownerColumns(expression ?? 'true', userFunctions);
  const writes = levels.map((policies) => writeWays(policies, read)).filter((ways) => ways.length > 0);
  // A way without an owner, such as that of administrators, is not about owners.
  const [first = [], ...others] = writes.flat().filter((way) => way.length > 0);
  return {
    isWritable: writes.length > 0,
    isHiding: levels.some((policies) => !showsAll(policies)),
    written: first.filter((column) => others.every((way) => way.includes(column))),
    seen: [...new Set(levels.flat().flatMap(({ using, check }) => [...read(using), ...read(check)].flat()))],
  };
}

/** None if no policy permits a write. */
function writeWays(policies: readonly PolicyState[], read: (expression: string | null) => OwnerColumns): OwnerColumns {
  const writing = policies.filter(({ command }) => /[*aw]/.test(command));
  const ways = ({ using, check }: PolicyState) => read(check ?? using);
  const permitted = writing.filter(({ isPermissive }) => isPermissive).flatMap(ways);
  return combineWays([permitted, ...writing.filter(({ isPermissive }) => !isPermissive).map(ways)]);
}

function showsAll(policies: readonly PolicyState[]): boolean {
  const reading = policies.filter(({ command }) => /[*r]/.test(command));
  return (
    reading.every(({ isPermissive }) => isPermissive) &&
    reading.some(({ isPublic, using }) => isPublic && using === 'true')
  );
}
