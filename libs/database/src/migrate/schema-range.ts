import type { ClientBase } from 'pg';
import { type AppliedMigration, loadLedger } from './ledger.js';
import type { Migration } from '../model/migration.js';

type Catalogue = readonly Migration[];
type Applied = Pick<AppliedMigration, 'name' | 'sha256' | 'phase' | 'completes'>;

/** What an image states about itself, before it meets a database. */
export interface SchemaRange {
  /** It needs everything up to this one: its last expand. */
  readonly needs: string;
  /** It was built when this was the last one. */
  readonly knows: string;
}

export type SchemaState =
  /** Everything is there that this code needs. */
  | 'ready'
  /** Something that this code needs is missing. */
  | 'behind'
  /** Later releases have been there, and this code can live with what they did. */
  | 'ahead'
  /** A later contract removed what this code uses, or the history is not the one of this code. */
  | 'incompatible';

export interface SchemaVerdict {
  readonly state: SchemaState;
  readonly isServing: boolean;
  /** Each a migration and what is the matter with it. */
  readonly reasons: readonly string[];
}

/** The last migration that this code knows. */
export function schemaHead(migrations: Catalogue): string {
  return migrations.at(-1)?.name ?? '';
}

export function schemaRange(migrations: Catalogue): SchemaRange {
  return { needs: migrations.findLast(({ phase }) => phase === 'expand')?.name ?? '', knows: schemaHead(migrations) };
}

/** One query, for readiness: may this code serve on what the database is now? */
export async function checkSchema(client: ClientBase, migrations: Catalogue): Promise<SchemaVerdict> {
  return judgeSchema(await loadLedger(client), migrations);
}

/**
 * Old code lives with every expand. It lives with a contract exactly if it knows the expand which that completes: from
 * that release on nothing uses what the contract takes away. A pending contract takes nothing from this code either.
 */
export function judgeSchema(applied: readonly Applied[], migrations: Catalogue): SchemaVerdict {
  const code = new Map(migrations.map((migration) => [migration.name, migration]));
  const done = new Map(applied.map((row) => [row.name, row]));
  const broken = applied.flatMap((row) => {
    const migration = code.get(row.name);
    if (migration !== undefined) return migration.sha256 === row.sha256 ? [] : [`${row.name} differs from this code`];
    return isTolerable(row, code) ? [] : [`${row.name} removed what this code uses`];
  });
  const missing = migrations.filter(({ name, phase }) => phase === 'expand' && !done.has(name));
  const later = applied.filter(({ name }) => !code.has(name));
  if (broken.length > 0) return { state: 'incompatible', isServing: false, reasons: broken };
  if (missing.length > 0)
    return { state: 'behind', isServing: false, reasons: missing.map(({ name }) => `${name} is not applied`) };
  if (later.length > 0)
    return { state: 'ahead', isServing: true, reasons: later.map(({ name }) => `${name} came with a later release`) };
  return { state: 'ready', isServing: true, reasons: [] };
}

function isTolerable({ phase, completes }: Applied, code: ReadonlyMap<string, Migration>): boolean {
  return phase === 'expand' || (completes !== null && code.has(completes));
}
