import { loadLedger } from '../runner/ledger.js';
import type { Model } from '../model/product-model.js';
import { DEFAULT_LIMITS } from './limits.js';
import { forgetProgress, loadBackfills } from './backfill-progress.js';
import { judgeBackfill } from './requirements.js';
import { walk, type WalkContext } from './walk.js';
import type { BackfillEvent } from './backfill-events.js';

export interface Finishing extends Pick<Model, 'migrations' | 'backfills'> {
  /** All by default. */
  readonly names?: readonly string[] | undefined;
}

type OnNamedEvent = (event: {
  readonly type: 'backfill';
  readonly name: string;
  readonly event: BackfillEvent;
}) => void;

/** For the migration runner, in a database from which no earlier release serves: runs what can run and is not complete. */
export async function finishBackfills(
  { migrations, backfills, names = backfills.map(({ name }) => name) }: Finishing,
  { onEvent, ...context }: Omit<WalkContext, 'limits' | 'onEvent'> & { readonly onEvent: OnNamedEvent },
): Promise<void> {
  if (names.length === 0) return;
  const { client } = context;
  const facts = { migrations, applied: await loadLedger(client), records: await loadBackfills(client) };
  for (const backfill of backfills.filter(({ name }) => names.includes(name))) {
    const { name } = backfill;
    const state = judgeBackfill(backfill, facts);
    if (state === 'complete' || !facts.applied.some((row) => row.name === backfill.follows)) continue;
    // Its definition is still being written.
    if (state === 'changed') await forgetProgress(client, backfill);
    const tell = (event: BackfillEvent) => onEvent({ type: 'backfill', name, event });
    await walk(backfill, { ...context, limits: DEFAULT_LIMITS, onEvent: tell });
  }
}
