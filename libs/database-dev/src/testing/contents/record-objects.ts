import { isDeepStrictEqual } from 'node:util';
import type { ThrowawayDatabase } from '../../lint/trace/throwaway-database.js';
import { migrate, MigrationError, migrations as shipped, type Migration } from '@airlock/database/internal';
import {
  describeObject,
  isPart,
  type KnownObjects,
  loadKnownObjects,
  readObjects,
  saveKnownObjects,
} from './objects.js';

/**
 * Migrates a provisioned, empty database and compares what is made on the way with the committed list.
 * @throws MigrationError when they differ
 */
export async function checkKnownObjects(
  database: ThrowawayDatabase,
  { isWritten }: { isWritten: boolean },
): Promise<void> {
  const known = await recordObjects(database);
  if (isWritten) saveKnownObjects(known);
  if (isDeepStrictEqual(loadKnownObjects(), known)) return;
  throw new MigrationError(
    'known-objects.json: differs from what provisioning and the migrations make; expected no difference\n' +
      '  airlock db drift --template --write',
  );
}

/** Only a contract removes something: what is there before each of them, and at the end, is all that ever was. */
export async function recordObjects(
  { config, withOwner }: Pick<ThrowawayDatabase, 'config' | 'withOwner'>,
  migrations: readonly Migration[] = shipped,
): Promise<KnownObjects> {
  const read = () => withOwner(readObjects);
  const provisioned = Object.fromEntries((await read()).map((object) => [describeObject(object), object.definition]));
  const migrated = new Set<string>();
  const stops = migrations.flatMap(({ phase }, n) => (phase === 'contract' ? [n] : []));
  for (const count of [...stops, migrations.length]) {
    await migrate({ config, migrations: migrations.slice(0, count) });
    const made = (await read()).filter((object) => !isPart(object)).map(describeObject);
    for (const name of made) if (!(name in provisioned)) migrated.add(name);
  }
  return { provisioned, migrated: [...migrated].sort() };
}
