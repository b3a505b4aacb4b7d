import { escapeIdentifier, type Client } from 'pg';
import type { Config } from '@airlock/config';
import { connectClient } from '../client.js';
import { MigrationError } from './migration.js';
import { MigrationRefusal } from './plan.js';

/** A connection of the migrator's own, never from a pool and never through a pooler: locks live in the session. */
export async function connectMigrator(config: Config, purpose: string): Promise<Client> {
  const address = config.database.migration;
  if (address === undefined)
    throw new MigrationError(
      'DATABASE_MIGRATION_URL: not set; expected the address of the migrator\n' +
        '  Set it beside DATABASE_URL: same host and database, the role that may become the owner.',
    );
  return connectClient(address, { config, purpose });
}

/** Objects belong to the schema's owner, a role that nobody logs in as. */
export async function becomeOwner(client: Client): Promise<void> {
  const { rows } = await client.query<{ owner: string; name: string; may: boolean }>(`
    SELECT pg_catalog.pg_get_userbyid(nspowner) AS owner, pg_catalog.current_database() AS name,
           pg_catalog.pg_has_role(session_user, nspowner, 'SET') AS may
      FROM pg_catalog.pg_namespace WHERE nspname = 'public'`);
  const [schema] = rows;
  if (!schema?.may)
    throw new MigrationRefusal(
      `${String(schema?.name)}: the migrator cannot become its owner ${String(schema?.owner)}; expected membership\n` +
        `  airlock db provision`,
    );
  await client.query(`SET ROLE ${escapeIdentifier(schema.owner)}`);
}
