import type { Config, DatabaseAddress } from '@airlock/config';
import { type DatabaseObject, readObjects } from '../contents/objects.js';
import { LIMITS, withBoundedClient } from './bounded-session.js';
import { nameTemplate } from './minted-names.js';

/** The contents of a clone, and so of its template: the template itself accepts no sessions. */
export interface CloneFacts {
  readonly template: string;
  readonly objects: readonly DatabaseObject[];
}

/** Reads the catalogue of the clone and runs no code of it. Code that runs at login was excluded on the template. */
export async function loadCloneFacts(
  { config, address }: { config: Config; address: DatabaseAddress },
  fresh: string,
): Promise<CloneFacts> {
  const context = { config, purpose: 'reset-template', limit: LIMITS.look };
  const objects = await withBoundedClient({ ...address, database: fresh }, context, readObjects);
  return { template: nameTemplate(address.database), objects };
}
