import { isDeepStrictEqual } from 'node:util';
import type { ThrowawayDatabase } from '../../lint/trace/throwaway-database.js';
import { migrate } from '@airlock/database/internal';
import { MigrationError, type Model } from '@airlock/database/model';
import {
  describeObject,
  isPart,
  type KnownObjects,
  loadKnownObjects,
  readObjects,
  saveKnownObjects,
} from './objects.js';

/**
 * Migrates a provisioned, empty database and compares the objects of each step with the committed lists.
 *
 * @throws MigrationError when they differ
 */
export async function checkKnownObjects(
  database: ThrowawayDatabase,
  { isWritten, ...model }: Pick<Model, 'migrations' | 'backfills' | 'folder'> & { isWritten: boolean },
): Promise<void> {
  const found = await recordObjects(database, model);
  if (isWritten) saveKnownObjects(model, found);
  const known = loadKnownObjects(model);
  if (isDeepStrictEqual(known, found)) return;
  const file = isDeepStrictEqual(known.migrated, found.migrated) ? 'provided-objects.json' : 'known-objects.json';
  throw new MigrationError(
    `${file}: differs from the objects of provisioning and the migrations; expected no difference\n` +
      '  airlock db drift --template --write',
  );
}

/** Only a contract removes objects, so the objects before each contract and at the end are all that ever existed. */
export async function recordObjects(
  { config, withOwner }: Pick<ThrowawayDatabase, 'config' | 'withOwner'>,
  { migrations, backfills = [] }: Pick<Model, 'migrations'> & Partial<Pick<Model, 'backfills'>>,
): Promise<KnownObjects> {
  const read = () => withOwner(readObjects);
  const provisioned = Object.fromEntries((await read()).map((object) => [describeObject(object), object.definition]));
  const readMade = async () => {
    const made = (await read()).filter((object) => !isPart(object)).map(describeObject);
    return made.filter((name) => !(name in provisioned));
  };
  await migrate({ config, migrations: [] });
  const bookkeeping = await readMade();
  const migrated = new Set<string>();
  const stops = migrations.flatMap(({ phase }, n) => (phase === 'contract' ? [n] : []));
  for (const count of [...stops, migrations.length]) {
    const made = migrations.slice(0, count);
    const known = backfills.filter(({ follows }) => made.some(({ name }) => name === follows));
    await migrate({ config, migrations: made, backfills: known });
    for (const name of await readMade()) if (!bookkeeping.includes(name)) migrated.add(name);
  }
  return { provisioned, bookkeeping: bookkeeping.sort(), migrated: [...migrated].sort() };
}
