import type { Config, Environment } from '@airlock/config';
import type { PoolClient } from 'pg';
import { assertServer } from './server.js';
import { findBrokenBindings, IdentityError, type Location, readLocation, readStamp, type Stamp } from './stamp.js';
import type { Queryable } from './queryable.js';

export interface IdentityClaim {
  /** The target that the caller named: a flag, a release target. */
  readonly expected: Environment;
  /** The environment of the configuration. */
  readonly config: Pick<Config, 'environment'> & { database: { app: { database: string } } };
}

export { IdentityError };

/**
 * Every command that writes calls this first, on the session that will write. The caller, the configuration and the
 * database must name the same environment, and the stamp must belong to this database.
 *
 * @throws IdentityError that names all three environments
 */
export async function assertIdentity(client: Queryable, claim: IdentityClaim): Promise<Stamp> {
  const here = await readLocation(client);
  const stamp = await readStamp(client);
  const problems = findProblems(claim, here, stamp);
  if (stamp && problems.length === 0) return stamp;
  throw new IdentityError(describe(claim, here, stamp, problems));
}

/** The same check for a service at its start; its configuration is its only caller. */
export async function assertServiceIdentity(client: PoolClient, config: Config): Promise<Stamp> {
  await assertServer(client, config.database.app);
  return assertIdentity(client, { expected: config.environment, config });
}

function findProblems({ expected, config }: IdentityClaim, here: Location, stamp: Stamp | undefined): string[] {
  const { database } = config.database.app;
  return [
    expected !== config.environment && 'the caller and the configuration disagree',
    database !== here.databaseName && `the configuration names the database "${database}"`,
    !stamp && 'the database has no stamp, so its environment is unknown',
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
    `database "${here.databaseName}": ${problems.join('; ')}; expected caller, configuration and database to name the same environment`,
    `  caller         ${expected}`,
    `  configuration  ${config.environment}, database "${config.database.app.database}"`,
    `  database       ${stamp ? `${stamp.environment}, "${stamp.databaseName}"` : 'no stamp'}, on server ${here.systemIdentifier}`,
    stamp
      ? '  airlock config print   # shows where the address comes from; never change the stamp to fit the address'
      : `  airlock db provision   # with ENVIRONMENT=${expected} and DATABASE_ADMIN_URL, if this database should be ${expected}`,
  ].join('\n');
}
