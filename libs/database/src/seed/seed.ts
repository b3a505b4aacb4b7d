import type { Client } from 'pg';
import { environmentsWith, traitsOf } from '@airlock/config';
import { type MigrationTarget, withOwner } from '../runner/session.js';
import type { Model } from '../model/product-model.js';
import { DEFAULT_SEED_ROWS, type SeedRow, type SeedRows } from '../model/seed-row.js';
import { MigrationRefusal } from '../model/migration-error.js';

const BATCH_ROWS = 1_000;

export interface SeedOptions extends MigrationTarget, Pick<Model, 'seedRows'> {
  /** Minimum number of rows. */
  readonly rows?: number | undefined;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

export interface SeedReport {
  readonly inserted: number;
  /** Rows that existed before, perhaps changed; they are kept. */
  readonly present: number;
}

/** Fixed sample data; a repeated run adds only missing rows. @throws MigrationRefusal where only users enter data */
export async function seed({
  seedRows,
  rows = DEFAULT_SEED_ROWS,
  onProgress,
  ...target
}: SeedOptions): Promise<SeedReport> {
  const { environment } = target.config;
  if (!traitsOf(environment).mayBeSeeded)
    throw new MigrationRefusal(
      `ENVIRONMENT: seeds are sample data, and this is ${environment}; expected ${environmentsWith('mayBeSeeded').join(', ')}`,
    );
  return withOwner(target, 'seed', async (client) => {
    let inserted = 0;
    for (let done = 0; done < rows;) {
      const batch = Array.from({ length: Math.min(BATCH_ROWS, rows - done) }, (_, index) =>
        seedRows.createRow(done + index),
      );
      inserted += await insertBatch(client, seedRows, batch);
      done += batch.length;
      onProgress?.({ done, total: rows });
    }
    return { inserted, present: rows - inserted };
  });
}

/** One transaction, so that an interrupted seed leaves fewer complete rows. */
async function insertBatch(client: Client, { sql }: SeedRows, batch: readonly SeedRow[]): Promise<number> {
  let inserted = 0;
  await client.query('BEGIN');
  for (const [userId, owned] of Map.groupBy(batch, (row) => row.userId)) {
    // Rows are written as their owner: row-level security also applies to the table's owner.
    await client.query(`SELECT pg_catalog.set_config('app.user_id', $1, true)`, [userId]);
    const { rowCount } = await client.query(sql, [JSON.stringify(owned.map(({ values }) => values))]);
    inserted += rowCount ?? 0;
  }
  await client.query('COMMIT');
  return inserted;
}
