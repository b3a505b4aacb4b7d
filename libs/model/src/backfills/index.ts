// Every backfill. `airlock new backfill` adds to it; a spec compares it with the folder.
import type { Backfill } from '@airlock/database/model';

export const backfills: readonly Backfill[] = [];
