import type { Config } from '@airlock/config';
import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';
import { findBrokenBindings, IdentityError, readLocation, readStamp } from '../identity/stamp.js';
import { openRunner } from './guarded-data-source.js';

/**
 * Connects to a restored copy, for a drill. It is the opposite of `openDataSource`, which every process uses: it accepts only a
 * database whose stamp is that of another one, so that no configuration leads a process to a copy or a drill to an original.
 *
 * @throws IdentityError for an original, and for a copy of another environment
 */
export async function openCopy(dataSource: DataSource, { environment }: Pick<Config, 'environment'>): Promise<void> {
  await dataSource.initialize();
  const runner = openRunner(dataSource);
  try {
    const client = (await runner.connect()) as ClientBase;
    const [stamp, here] = [await readStamp(client), await readLocation(client)];
    const isCopy = stamp !== undefined && findBrokenBindings(stamp, here).length > 0;
    if (!isCopy || stamp.environment !== environment)
      throw new IdentityError(
        `database "${here.databaseName}": is ${stamp ? `${isCopy ? 'a copy' : 'the original'} of ${stamp.environment}` : 'without a stamp'}; expected a copy of ${environment}\n` +
          '  airlock db restore-drill   # makes one and drops it',
      );
    await runner.release();
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
}
