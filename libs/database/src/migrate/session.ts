import pg from 'pg';
import type { Config } from '@airlock/config';
import { MigrationError } from './migration.js';
import { MigrationRefusal } from './plan.js';

/** A connection of the migrator's own, never from a pool and never through a pooler: locks live in the session. */
export async function connectMigrator(config: Config, purpose: string): Promise<pg.Client> {
  const address = config.database.migration;
  if (address === undefined)
    throw new MigrationError(
      'DATABASE_MIGRATION_URL: not set; expected the address of the migrator\n' +
        '  Set it beside DATABASE_URL: same host and database, the role that may become the owner.',
    );
  const client = new pg.Client({
    host: address.host,
    port: address.port,
    user: address.user,
    password: address.password.reveal(),
    database: address.database,
    ssl: false,
    application_name: `${config.service.name}/${config.environment}/${purpose}`,
    connectionTimeoutMillis: config.database.connectTimeoutMs,
    keepAlive: true,
  });
  // A lost connection is found by the next query; without a listener it would end the process.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** A session of the role that owns the objects, and that nobody logs in as. */
export async function withOwner<T>(
  config: Config,
  purpose: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connectMigrator(config, purpose);
  try {
    await becomeOwner(client);
    // Every name in a migration says its schema; and a statement ends when whoever sent it was killed.
    await client.query(`SET search_path = pg_catalog; SET client_connection_check_interval = '1s'`);
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Provisioning gave schema public to the owner; a clone has the same one, whatever it is called. */
async function becomeOwner(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ owner: string; database: string; may: boolean }>(`
    SELECT pg_get_userbyid(owner) AS owner, datname AS database, pg_has_role(session_user, owner, 'SET') AS may
      FROM pg_database,
           LATERAL (SELECT CASE nspowner WHEN 'pg_database_owner'::regrole THEN datdba ELSE nspowner END AS owner
                      FROM pg_namespace WHERE nspname = 'public')
     WHERE datname = current_database()`);
  const [found] = rows;
  if (!found?.may)
    throw new MigrationRefusal(
      `${String(client.database)}: ${String(client.user)} cannot become ${found?.owner ?? 'the owner of schema public'}; ` +
        'expected a member of it\n  airlock db provision',
    );
  await client.query(`SET ROLE ${pg.escapeIdentifier(found.owner)}`);
}
