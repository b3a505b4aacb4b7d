import type { ApplyContext } from '../migrate/apply-migration.js';
import { loadLedger } from '../migrate/ledger.js';
import type { Model } from '../model/product-model.js';
import { DEFAULT_LIMITS } from './limits.js';
import { forgetProgress, loadBackfills } from './progress.js';
import { judgeBackfill } from './requirements.js';
import { assertMayBackfill } from './run-backfill.js';
import { walk } from './walk.js';

export interface Finishing extends Pick<Model, 'migrations' | 'backfills'> {
  /** All by default. */
  readonly names?: readonly string[] | undefined;
}

/** For the migration runner, in a database from which no earlier release serves: runs what can run and is not complete. */
export async function finishBackfills(
  { migrations, backfills, names = backfills.map(({ name }) => name) }: Finishing,
  { client, lock, by, signal, onEvent }: ApplyContext,
): Promise<void> {
  if (names.length === 0) return;
  const facts = { migrations, applied: await loadLedger(client), records: await loadBackfills(client) };
  for (const backfill of backfills.filter(({ name }) => names.includes(name))) {
    const { name } = backfill;
    const state = judgeBackfill(backfill, facts);
    if (state === 'complete' || !facts.applied.some((row) => row.name === backfill.follows)) continue;
    await assertMayBackfill(client);
    // Its definition is still being written.
    if (state === 'changed') await forgetProgress(client, backfill);
    const tell = (event: Parameters<Parameters<typeof walk>[1]['onEvent']>[0]) =>
      onEvent({ type: 'backfill', name, event });
    await walk(backfill, { client, lock, limits: DEFAULT_LIMITS, by, signal, onEvent: tell });
  }
}
