import type { Client } from 'pg';
import { traitsOf } from '@airlock/config';
import { type ApplicationTarget, withApplication } from '../connect/application-session.js';
import { SEED_SIZES, type Seeds, type TableSeeds } from '../model/define-seeds.js';
import type { Model } from '../model/product-model.js';
import { createRows, type IndexedRow, userOf } from './create-rows.js';
import { assertMayBeSeeded, assertNoCopy, type SeedScope, inspectTables } from './inspect-target.js';
import { addRows, findRows, type SeededTable } from './seed-table.js';

const BATCH_INDEXES = 1000;

export interface SeedOptions extends ApplicationTarget, Pick<Model, 'seeds'>, Partial<SeedScope> {
  /** The number of indexes; SEED_SIZES.small by default. */
  readonly size?: number | undefined;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

export interface SeedReport {
  readonly inserted: number;
  /** Rows that existed before, perhaps changed; they are kept. */
  readonly present: number;
}

/**
 * Adds the sample rows that are missing, as the application and under the id of their users, like a request: policies and
 * constraints apply.
 *
 * @throws MigrationRefusal where only users enter data, and for a database that holds a copy
 */
export async function seed(options: SeedOptions): Promise<SeedReport> {
  const { config, expected, seeds, size = SEED_SIZES.small, onProgress, isPartial = false, ifEmpty = false } = options;
  assertMayBeSeeded(config.environment);
  return withApplication({ config, expected }, 'seed', async (client) => {
    if (traitsOf(config.environment).takesCopies) await assertNoCopy(client);
    const tables = await inspectTables(client, seeds, { isPartial, ifEmpty });
    if (tables.some(({ seeds: { writer } }) => writer === 'system')) await recordSystemUse(client);
    const report = { inserted: 0, present: 0 };
    if (tables.every(({ isKept }) => isKept)) return report;
    for (let done = 0; done < size;) {
      const indexes = Array.from({ length: Math.min(BATCH_INDEXES, size - done) }, (_, place) => done + place);
      const { inserted, present } = await writeBatch(client, tables, { indexes, users: seeds.users });
      report.inserted += inserted;
      report.present += present;
      done += indexes.length;
      onProgress?.({ done, total: size });
    }
    return report;
  });
}

/** As `asSystem` does before it begins. */
async function recordSystemUse(client: Client): Promise<void> {
  await client.query(
    `INSERT INTO ops.system_uses (service, reason) VALUES ('airlock', 'seed: sample rows of shared tables')`,
  );
}

interface Batch {
  readonly indexes: readonly number[];
  readonly users: Seeds['users'];
}

/** One transaction, so that an interrupted seed leaves whole rows with all that belong to them. */
async function writeBatch(
  client: Client,
  tables: readonly SeededTable[],
  { indexes, users }: Batch,
): Promise<SeedReport> {
  const report = { inserted: 0, present: 0 };
  await client.query('BEGIN');
  for (const [userId, owned] of Map.groupBy(indexes, (index) => userOf(index, users))) {
    await client.query(`SELECT pg_catalog.set_config('app.user_id', $1, true)`, [userId]);
    const found = new Map<TableSeeds, readonly IndexedRow[]>();
    for (const table of tables) {
      const { seeds, isKept, isParent } = table;
      const parents = seeds.of ? (found.get(seeds.of) ?? []) : owned.map((index) => ({ index }));
      const rows = createRows(seeds, userId, parents);
      const inserted = isKept ? 0 : await addRows(client, table, rows);
      report.inserted += inserted;
      report.present += rows.length - inserted;
      if (isParent) found.set(seeds, await findRows(client, table, rows));
    }
  }
  await client.query('COMMIT');
  return report;
}
