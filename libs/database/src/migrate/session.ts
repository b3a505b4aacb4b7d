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

/** Objects belong to the database's owner, a role that nobody logs in as. */
export async function becomeOwner(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ owner: string; name: string; may: boolean }>(`
    SELECT pg_get_userbyid(datdba) AS owner, datname AS name, pg_has_role(session_user, datdba, 'SET') AS may
      FROM pg_database WHERE datname = current_database()`);
  const [database] = rows;
  if (!database?.may)
    throw new MigrationRefusal(
      `${String(database?.name)}: the migrator cannot become its owner ${String(database?.owner)}; expected membership\n` +
        `  airlock db provision`,
    );
  await client.query(`SET ROLE ${pg.escapeIdentifier(database.owner)}`);
}
