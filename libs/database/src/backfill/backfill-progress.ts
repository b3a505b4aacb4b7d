import type { Client, ClientBase } from 'pg';
import { hasTable, type Provenance } from '../runner/ledger.js';
import type { Backfill } from '../model/backfill.js';
import { MigrationRefusal } from '../model/migration-error.js';

/** A row of ops.backfills, as far as every role may see it. */
export interface BackfillRecord {
  readonly name: string;
  readonly sha256: string;
  /** A backfill is complete after a pass over all rows that found none to change. */
  readonly pass: number;
  /** Walked in this pass. */
  readonly passRows: number;
  /** Changed in all passes. */
  readonly changed: number;
  readonly updatedAt: Date;
  readonly completedAt: Date | null;
}

export interface WalkPosition extends BackfillRecord {
  readonly lastKey: readonly string[] | null;
  readonly passChanged: number;
}

const PUBLIC_COLUMNS = `name, sha256, pass, pass_rows::float8 AS "passRows", changed::float8 AS changed,
  updated_at AS "updatedAt", completed_at AS "completedAt"`;

export async function loadBackfills(client: ClientBase): Promise<BackfillRecord[]> {
  if (!(await hasTable(client, 'ops.backfills'))) return [];
  const { rows } = await client.query<BackfillRecord>(`SELECT ${PUBLIC_COLUMNS} FROM ops.backfills ORDER BY name`);
  return rows;
}

/** In a transaction: another run of the same backfill waits until this batch has ended. */
export async function lockPosition(client: Client, { name, sha256 }: Backfill): Promise<WalkPosition> {
  const { rows } = await client.query<WalkPosition>(
    `SELECT ${PUBLIC_COLUMNS}, last_key AS "lastKey", pass_changed::float8 AS "passChanged"
       FROM ops.backfills WHERE name = $1 AND sha256 = $2 FOR UPDATE`,
    [name, sha256],
  );
  const [position] = rows;
  if (!position)
    throw new MigrationRefusal(`${name}: another run has started it again; expected to be the only one that walks it`);
  return position;
}

/** Creates the row, or names the release and the actor that go on. @throws MigrationRefusal if the definition changed */
export async function startProgress(client: Client, { name, sha256 }: Backfill, by: Provenance): Promise<void> {
  const { rowCount } = await client.query(
    `INSERT INTO ops.backfills AS b (name, sha256, commit, image_digest, actor) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (name) DO UPDATE
       SET commit = excluded.commit, image_digest = excluded.image_digest, actor = excluded.actor,
           updated_at = clock_timestamp()
     WHERE b.sha256 = excluded.sha256`,
    [name, sha256, by.commit ?? null, by.imageDigest ?? null, by.actor],
  );
  if (rowCount === 1) return;
  throw new MigrationRefusal(
    `${name}: its definition changed after it had begun; expected the one that it began with\n` +
      '  Rows that it has filled keep their values. Give the new definition another name: airlock new backfill NAME\n' +
      `  Or, if those values are right, walk all rows again with it: airlock db backfill ${name} --restart`,
  );
}

export async function forgetProgress(client: Client, { name }: Pick<Backfill, 'name'>): Promise<void> {
  await client.query('DELETE FROM ops.backfills WHERE name = $1', [name]);
}

export interface Step {
  readonly lastKey: readonly string[];
  readonly rows: number;
  readonly changed: number;
}

/** In the transaction of the batch: both happened, or neither. */
export async function recordStep(client: Client, { name }: Backfill, { lastKey, rows, changed }: Step): Promise<void> {
  await client.query(
    `UPDATE ops.backfills SET last_key = $2, pass_rows = pass_rows + $3, pass_changed = pass_changed + $4,
            changed = changed + $4, updated_at = clock_timestamp() WHERE name = $1`,
    [name, lastKey, rows, changed],
  );
}

/** After a pass without a change the backfill is complete; otherwise the next pass begins. */
export async function recordPass(client: Client, { name }: Backfill, { passChanged }: WalkPosition): Promise<void> {
  if (passChanged > 0) {
    await client.query(
      `UPDATE ops.backfills SET pass = pass + 1, last_key = NULL, pass_rows = 0, pass_changed = 0,
              updated_at = clock_timestamp() WHERE name = $1`,
      [name],
    );
    return;
  }
  await client.query(
    `UPDATE ops.backfills SET last_key = NULL, updated_at = clock_timestamp(), completed_at = clock_timestamp()
      WHERE name = $1`,
    [name],
  );
  // Rows that were cached before a batch changed them. The server of the cache stays: leases are waited for.
  await client.query('UPDATE ops.read_cache SET generation = gen_random_uuid(), is_open = false');
}
