import type { ClientBase } from 'pg';
import { loadBackfills } from '../backfill/backfill-progress.js';
import { type BackfillFacts, describeState, judgeBackfill } from '../backfill/requirements.js';
import { type AppliedMigration, loadLedger } from '../runner/ledger.js';
import type { Backfill } from '../model/backfill.js';
import type { Migration } from '../model/migration.js';

type Catalogue = readonly Migration[];
type Applied = Pick<AppliedMigration, 'name' | 'sha256' | 'phase' | 'completes'>;

/** The schema range that an image states before it connects to a database. */
export interface SchemaRange {
  /** The code needs every migration up to this one, its last expand. */
  readonly needs: string;
  /** The last migration when the image was built. */
  readonly knows: string;
}

export type SchemaState =
  /** Every migration that this code needs is applied. */
  | 'ready'
  /** A migration that this code needs is missing, or a backfill is not complete. */
  | 'behind'
  /** Later releases have migrated the database, and this code is compatible with their changes. */
  | 'ahead'
  /** A later contract removed something that this code uses, or the history differs from this code. */
  | 'incompatible';

export interface SchemaVerdict {
  readonly state: SchemaState;
  readonly isServing: boolean;
  /** Each entry names a migration and its problem. */
  readonly reasons: readonly string[];
}

/** The last migration that this code knows. */
export function schemaHead(migrations: Catalogue): string {
  return migrations.at(-1)?.name ?? '';
}

export function schemaRange(migrations: Catalogue): SchemaRange {
  return { needs: migrations.findLast(({ phase }) => phase === 'expand')?.name ?? '', knows: schemaHead(migrations) };
}

/** For readiness: is this code compatible with the current schema, and are its required backfills complete? */
export async function checkSchema(
  client: ClientBase,
  migrations: Catalogue,
  backfills: readonly Backfill[] = [],
): Promise<SchemaVerdict> {
  const applied = await loadLedger(client);
  const verdict = judgeSchema(applied, migrations);
  if (!backfills.some(({ isRequired }) => isRequired)) return verdict;
  return judgeBackfills(verdict, backfills, { migrations, applied, records: await loadBackfills(client) });
}

/** Code that reads only filled columns is not ready before they are filled. */
export function judgeBackfills(
  verdict: SchemaVerdict,
  backfills: readonly Backfill[],
  facts: BackfillFacts,
): SchemaVerdict {
  const unfinished = backfills.flatMap((backfill) => {
    const state = judgeBackfill(backfill, facts);
    return backfill.isRequired && state !== 'complete'
      ? [`the backfill ${backfill.name} is ${describeState(state)}`]
      : [];
  });
  return verdict.isServing && unfinished.length > 0
    ? { state: 'behind', isServing: false, reasons: unfinished }
    : verdict;
}

/**
 * Old code is compatible with every expand. It is compatible with a contract only if it contains the expand that the
 * contract completes: from that release on, no code uses what the contract removes. A pending contract removes nothing
 * either.
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
    return {
      state: 'ahead',
      isServing: true,
      reasons: later.map(({ name }) => `${name} was added by a later release`),
    };
  return { state: 'ready', isServing: true, reasons: [] };
}

function isTolerable({ phase, completes }: Applied, code: ReadonlyMap<string, Migration>): boolean {
  return phase === 'expand' || (completes !== null && code.has(completes));
}
