import type { Environment } from '@airlock/config';
import { type Target, withOwner } from '../migrate/session.js';
import { MigrationRefusal } from '../migrate/plan.js';
import { DEFAULT_SEED_ROWS, SEED_SQL, type SeedRow, createSeedRows } from './seed-rows.js';

const SEEDABLE: readonly Environment[] = ['development', 'testing', 'preview'];

export interface SeedOptions extends Target {
  /** How many rows there shall be at least. */
  readonly rows?: number;
}

export interface SeedReport {
  readonly inserted: number;
  readonly present: number;
}

/** Fixed sample data; running it again adds nothing. @throws MigrationRefusal in staging and production */
export async function seed({ rows = DEFAULT_SEED_ROWS, ...target }: SeedOptions): Promise<SeedReport> {
  const { environment } = target.config;
  if (!SEEDABLE.includes(environment))
    throw new MigrationRefusal(
      `ENVIRONMENT: seeds are sample data and this is ${environment}; expected ${SEEDABLE.join(', ')}`,
    );
  return withOwner(target, 'seed', async (client) => {
    await client.query('BEGIN');
    let inserted = 0;
    for (const [owner, owned] of groupByOwner(createSeedRows(rows))) {
      // Rows are written as their owner: row-level security binds the table's owner too.
      await client.query(`SELECT set_config('app.user_id', $1, true)`, [owner]);
      const result = await client.query(SEED_SQL, [JSON.stringify(owned.map(toRecord))]);
      inserted += result.rowCount ?? 0;
    }
    await client.query('COMMIT');
    return { inserted, present: rows - inserted };
  });
}

function groupByOwner(rows: readonly SeedRow[]): Map<string, SeedRow[]> {
  return Map.groupBy(rows, ({ ownerId }) => ownerId);
}

function toRecord({ id, ownerId, name, attributes, createdAt }: SeedRow): Record<string, unknown> {
  return { id, owner_id: ownerId, name, attributes, created_at: createdAt };
}
