import type { Config, Environment } from '@airlock/config';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { assertServer } from './server.js';
import { findBrokenBindings, IdentityError, type Location, readLocation, readStamp, type Stamp } from './stamp.js';
import type { Queryable } from './queryable.js';

export interface IdentityClaim {
  /** What the caller was asked to work on: a flag, a release target. */
  readonly expected: Environment;
  /** What the configuration says. */
  readonly config: Pick<Config, 'environment'> & { database: { app: { database: string } } };
}

export { IdentityError };

/**
 * Every command that writes asks this first, on the session that will write: the caller, the configuration and the
 * database must say the same environment, and the stamp must be the database's own.
 *
 * @throws IdentityError, which says what each of the three said
 */
export async function assertIdentity(client: Queryable, claim: IdentityClaim): Promise<Stamp> {
  const here = await readLocation(client);
  const stamp = await readStamp(client);
  const problems = findProblems(claim, here, stamp);
  if (stamp && problems.length === 0) return stamp;
  throw new IdentityError(describe(claim, here, stamp, problems));
}

/** The same, for a service at its start: it has no caller besides its configuration. */
export async function assertDataSourceIdentity(dataSource: DataSource, config: Config): Promise<Stamp> {
  const runner = dataSource.createQueryRunner();
  try {
    const client = (await runner.connect()) as PoolClient;
    await assertServer(client, config.database.app);
    return await assertIdentity(client, { expected: config.environment, config });
  } finally {
    await runner.release();
  }
}

function findProblems({ expected, config }: IdentityClaim, here: Location, stamp: Stamp | undefined): string[] {
  const { database } = config.database.app;
  return [
    expected !== config.environment && 'the caller and the configuration disagree',
    database !== here.databaseName && `the configuration names the database "${database}"`,
    !stamp && 'the database carries no stamp, so nothing says whose it is',
    stamp && stamp.environment !== expected && 'the database belongs to another environment',
    ...(stamp ? findBrokenBindings(stamp, here) : []),
  ].filter((line) => typeof line === 'string');
}

function describe(
  { expected, config }: IdentityClaim,
  here: Location,
  stamp: Stamp | undefined,
  problems: readonly string[],
): string {
  return [
    `database "${here.databaseName}": ${problems.join('; ')}; expected caller, configuration and database to agree`,
    `  caller         ${expected}`,
    `  configuration  ${config.environment}, database "${config.database.app.database}"`,
    `  database       ${stamp ? `${stamp.environment}, "${stamp.databaseName}"` : 'no stamp'}, on server ${here.systemIdentifier}`,
    stamp
      ? '  airlock config print   # says where the address comes from; a stamp is not changed to fit it'
      : `  airlock db provision   # with ENVIRONMENT=${expected} and DATABASE_ADMIN_URL, if this database is to be ${expected}`,
  ].join('\n');
}
