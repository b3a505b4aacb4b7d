import type { ClientBase } from 'pg';
import type { Provenance } from '../runner/ledger.js';

/** Runs that had work to do, including failed and killed ones. Written outside the migrations' transactions. */
export async function startRun(
  client: ClientBase,
  { planned, by }: { planned: readonly string[]; by: Provenance },
): Promise<string> {
  // The runners that wrote these rows held the lock that we hold now, so they have ended.
  await client.query(
    `UPDATE ops.migration_runs SET outcome = 'interrupted', finished_at = clock_timestamp() WHERE outcome = 'running'`,
  );
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO ops.migration_runs (planned, commit, image_digest, actor) VALUES ($1, $2, $3, $4) RETURNING id`,
    [planned, by.commit ?? null, by.imageDigest ?? null, by.actor],
  );
  return String(rows[0]?.id);
}

export async function finishRun(client: ClientBase, id: string, error?: Error): Promise<void> {
  await client.query(
    `UPDATE ops.migration_runs SET finished_at = clock_timestamp(), outcome = $2, error = $3 WHERE id = $1`,
    [id, error ? 'failed' : 'done', error?.message ?? null],
  );
}
