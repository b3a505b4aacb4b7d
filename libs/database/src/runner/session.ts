import { type Client, escapeIdentifier } from 'pg';
import type { Config, Environment } from '@airlock/config';
import { connectClient } from '../connect/client.js';
import { assertIdentity } from '../identity/assert-identity.js';
import { MigrationError, MigrationRefusal } from '../model/migration-error.js';

/** Names the environment whose database the caller wants to change. */
export interface MigrationTarget {
  readonly config: Config;
  /** The target that the caller was given, such as a release target; the configured environment by default. */
  readonly expected?: Environment | undefined;
}

/**
 * A separate connection of the migrator, neither from a pool nor through a pooler, because locks belong to the session.
 *
 * @throws IdentityError unless caller, configuration and database name the same environment
 */
export async function connectMigrator({ config, expected }: MigrationTarget, purpose: string): Promise<Client> {
  const address = config.database.migration;
  if (address === undefined)
    throw new MigrationError(
      'DATABASE_MIGRATION_URL: not set; expected the address of the migrator\n' +
        '  Set it beside DATABASE_URL: same host and database, with the migrator role, a member of the owner role.',
    );
  const client = await connectClient(address, { config, purpose });
  try {
    await assertIdentity(client, { expected: expected ?? config.environment, config });
    return client;
  } catch (error) {
    await client.end();
    throw error;
  }
}

/** A session of the role that owns the objects. No user logs in as that role. */
export async function withOwner<T>(
  target: MigrationTarget,
  purpose: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connectMigrator(target, purpose);
  try {
    await assertWritable(client);
    await becomeOwner(client);
    // Every name in a migration must be qualified. A statement ends when its client was killed.
    await client.query(`SET search_path = pg_catalog; SET client_connection_check_interval = '1s'`);
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** A replica contains the stamp of its primary, and may respond at the same address after a failover. */
async function assertWritable(client: Client): Promise<void> {
  const { rows } = await client.query<{ setting: string }>(
    `SELECT pg_catalog.current_setting('transaction_read_only') AS setting`,
  );
  if (rows[0]?.setting === 'off') return;
  throw new MigrationRefusal(
    `database "${String(client.database)}": is read-only, as a replica or by default_transaction_read_only; expected the primary\n` +
      '  airlock config print   # shows where DATABASE_MIGRATION_URL comes from',
  );
}

/** False if an older version provisioned the database, without the role of the system or without all of its rights. */
export async function isProvisioned(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ is: boolean | null }>(`
    SELECT pg_catalog.to_regclass('ops.system_uses') IS NOT NULL AND pg_catalog.has_schema_privilege(
      pg_catalog.to_regrole('airlock_system'), pg_catalog.to_regnamespace('ops'), 'USAGE') AS is`);
  return rows[0]?.is === true;
}

/** Schema public belongs to the owner role since provisioning; a clone has the same owner, whatever its name. */
async function becomeOwner(client: Client): Promise<void> {
  const { rows } = await client.query<{ owner: string; may: boolean }>(`
    SELECT pg_catalog.pg_get_userbyid(nspowner) AS owner, pg_catalog.pg_has_role(session_user, nspowner, 'SET') AS may
      FROM pg_catalog.pg_namespace WHERE nspname = 'public'`);
  const [schema] = rows;
  if (!schema?.may)
    throw new MigrationRefusal(
      `${String(client.database)}: ${String(client.user)} cannot become ${schema?.owner ?? 'the owner of schema public'}; ` +
        'expected a member of it\n  airlock db provision',
    );
  if (!(await isProvisioned(client)))
    throw new MigrationRefusal(
      `${String(client.database)}: was provisioned by an older version; expected the role airlock_system with all of its rights\n` +
        '  airlock db provision   # safe to repeat; needs DATABASE_ADMIN_URL',
    );
  await client.query(`SET ROLE ${escapeIdentifier(schema.owner)}`);
}
