import type { Config, DatabaseAddress } from '@airlock/config';
import { type DatabaseObject, readObjects } from '../contents/objects.js';
import { LIMITS, withBoundedClient } from './bounded-session.js';
import { nameTemplate } from './minted-names.js';

/** What a clone holds, which is what its template holds: the template itself is closed to sessions. */
export interface CloneFacts {
  readonly template: string;
  readonly objects: readonly DatabaseObject[];
}

/** Reads the catalogue of the clone and runs nothing of it: what would run at login was ruled out on the template. */
export async function loadCloneFacts(
  { config, address }: { config: Config; address: DatabaseAddress },
  fresh: string,
): Promise<CloneFacts> {
  const context = { config, purpose: 'reset-template', limit: LIMITS.look };
  const objects = await withBoundedClient({ ...address, database: fresh }, context, readObjects);
  return { template: nameTemplate(address.database), objects };
}
