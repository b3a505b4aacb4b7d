import { createHash } from 'node:crypto';
import { IDENTIFIER } from './identifier.js';
import { MigrationError } from './migration-error.js';

export interface BackfillDefinition {
  /** Kebab case, the same as the file name. */
  name: string;
  /** The expand that adds the columns. The backfill runs after it. */
  follows: string;
  /** `schema.name`, of one table. */
  table: string;
  /** Column → its new value: an SQL expression over the row, with qualified names of other tables. */
  set: Readonly<Record<string, string>>;
  /** An SQL condition over the row: it still needs the change. The change must make it false. */
  where: string;
  /** The columns of a unique index, by which it walks. Default: the primary key. */
  key?: readonly string[];
  /** This release reads only what the backfill fills: it is not ready before the backfill is complete. */
  isRequired?: true;
}

/** A change of many rows, as data: the workspace, CI and an image have the same definition, hence the same SHA-256. */
export interface Backfill extends Readonly<Required<Omit<BackfillDefinition, 'key' | 'isRequired'>>> {
  readonly key: readonly string[] | undefined;
  readonly isRequired: boolean;
  readonly sha256: string;
}

const BACKFILL_NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const TABLE = new RegExp(`^${IDENTIFIER}\\.${IDENTIFIER}$`, 'u');

/** @throws MigrationError if the definition contradicts itself. */
export function defineBackfill({ isRequired, ...rest }: BackfillDefinition): Backfill {
  const definition = { ...rest, key: rest.key };
  assertDefinition(definition);
  return Object.freeze({ ...definition, isRequired: isRequired === true, sha256: createFingerprint(definition) });
}

function assertDefinition({ name, table, set, where }: Omit<Backfill, 'isRequired' | 'sha256'>): void {
  if (!BACKFILL_NAME.test(name))
    throw new MigrationError(`${JSON.stringify(name)}: not a name of a backfill; expected kebab-case`);
  if (!TABLE.test(table))
    throw new MigrationError(`${name}: table is ${JSON.stringify(table)}; expected schema.name, such as public.orders`);
  if (Object.keys(set).length === 0) throw new MigrationError(`${name}: sets no column; expected at least one`);
  for (const [what, sql] of [...Object.entries(set), ['where', where] as const])
    if (sql.trim() === '') throw new MigrationError(`${name}: ${what} is empty; expected an SQL expression`);
}

/** `isRequired` is left out: a later release sets it when the backfill has run. */
function createFingerprint({ name, follows, table, set, where, key }: Omit<Backfill, 'isRequired' | 'sha256'>): string {
  const columns = Object.entries(set).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([name, follows, table, columns, where, key ?? null]))
    .digest('hex');
}
