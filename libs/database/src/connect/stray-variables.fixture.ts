// Opens two kinds of session in a process with many PG* variables, and prints the settings of each session.
import { loadConfig } from '@airlock/config/loading';
import { withClient } from './client.js';
import { createDataSource } from './data-source.js';

const port = process.argv[2] ?? '';
const role = 'connections_test_app';
const url = `postgres://${role}:${role}-secret@127.0.0.1:${port}/connections_test`;
const config = loadConfig({ env: { ENVIRONMENT: 'testing', DATABASE_URL: url }, files: false });
const SQL = `
  SELECT current_database() AS database, current_user AS user, inet_server_port() AS port,
         current_setting('search_path') AS search_path, current_setting('TimeZone') AS timezone,
         current_setting('client_encoding') AS encoding, current_setting('application_name') AS name,
         current_setting('statement_timeout') AS statement_timeout, current_setting('lock_timeout') AS lock_timeout,
         current_setting('idle_in_transaction_session_timeout') AS idle`;

const dataSource = await createDataSource(config, { entities: [] }).initialize();
const [pooled] = await dataSource.query<object[]>(SQL);
await dataSource.destroy();
const own = await withClient(
  config.database.app,
  { config, purpose: 'api' },
  async (client) => (await client.query(SQL)).rows[0] as object,
);
console.log(JSON.stringify([pooled, own]));
