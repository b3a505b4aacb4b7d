// The list of attacks: ways to point a reset at the wrong database, and the layer that must refuse each first. Each is
// one line of facts; the suite runs it against real servers, and again with that layer removed.
import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectClient, createSessionConfig, migrate } from '@airlock/database/internal';
import { runAs } from '@airlock/database/fixtures';
import { sampleModel } from '@airlock/database/sample';
import { AUDIT_FILE } from './audit.js';
import { getJournalPath, saveJournal } from './reset-journal.js';
import { startProxy, type World } from './world.fixture.js';

export interface Attack {
  readonly id: string;
  readonly title: string;
  /** The layer that refuses; undefined if the reset is correct and happens. */
  readonly by?: string | undefined;
  /** Only this layer prevents the attack: without it the attack succeeds. */
  readonly only?: true;
  /** Other layers that refuse too; the attack deceived none of them. */
  readonly also?: readonly string[];
  /** The layers did not run: the reason why the server could not be checked. */
  readonly failure?: RegExp;
  arrange?(world: World): unknown;
}

/** Of many cases of one kind, only the first is also tested with its layer removed. */
const ONCE = (n: number) => (n === 0 ? { only: true as const } : {});

const environment = (value: string | undefined) => (w: World) => (w.variables['ENVIRONMENT'] = value);
const variable = (name: string, value: string) => (w: World) => (w.variables[name] = value);
const address = (where: { port?: number; database?: string; host?: string }) => (w: World) => w.writeSettings(where);
const suffix = (text: string) => (w: World) => w.writeUrls(w.url('app') + text, w.url('migrator') + text);
const edit = (change: (url: string, w: World) => string) => (w: World) =>
  w.writeUrls(change(w.url('app'), w), change(w.url('migrator'), w));
const inside = (sql: string) => (w: World) => w.sql(sql.replaceAll(':db', w.database));

const intentAttacks: Attack[] = [
  { id: 'A1a', title: 'ENVIRONMENT is not set', by: 'L0', arrange: environment(undefined) },
  { id: 'A1b', title: 'ENVIRONMENT is empty', by: 'L0', arrange: environment('') },
  ...['TESTING', 'Testing', 'testing ', 'testing\r', 'tеsting', 'test'].map((value, n): Attack => ({
    id: `A2${'abcdef'[n]}`,
    title: `ENVIRONMENT=${JSON.stringify(value)}`,
    by: 'L0',
    arrange: environment(value),
  })),
  ...['production', 'staging', 'preview', 'development'].map((value, n): Attack => ({
    id: `A3${'abcd'[n]}`,
    title: `ENVIRONMENT=${value} with a perfect test address`,
    by: 'L0',
    arrange: environment(value),
  })),
  {
    id: 'A4a',
    title: 'TESTING=true is taken for permission',
    by: 'L0',
    arrange: (w) => {
      w.variables['ENVIRONMENT'] = 'development';
      w.variables['TESTING'] = 'true';
    },
  },
  {
    id: 'A4b',
    title: 'CI=true is taken for permission',
    by: 'L0',
    arrange: (w) => {
      w.variables['ENVIRONMENT'] = 'production';
      w.variables['CI'] = 'true';
    },
  },
  {
    id: 'A5',
    title: 'NODE_ENV=production beside ENVIRONMENT=testing',
    by: 'L0',
    arrange: variable('NODE_ENV', 'production'),
  },
  {
    id: 'A6',
    title: 'ENV_FILE=.env.production',
    by: 'L0',
    only: true,
    arrange: variable('ENV_FILE', '.env.production'),
  },
  {
    id: 'A27',
    title: 'every consent variable that other tools know is set, and the database is not the provisioned one',
    by: 'L4',
    arrange: (w) => {
      for (const name of [
        'FORCE',
        'YES',
        'DISABLE_DATABASE_ENVIRONMENT_CHECK',
        'PRISMA_USER_CONSENT_FOR_DANGEROUS_AI_ACTION',
        'TEST_DATABASE_SAFE',
        'DATABASE_CLEANER_ALLOW_PRODUCTION',
      ])
        w.variables[name] = 'true';
      w.record({ systemIdentifier: '1' });
    },
  },
  {
    id: 'A32',
    title: 'a daemon that was started in development runs the target',
    by: 'L0',
    arrange: environment('development'),
  },
  ...['KUBERNETES_SERVICE_HOST', 'AWS_EXECUTION_ENV', 'K_SERVICE', 'DYNO'].map((name, n): Attack => ({
    id: `A65${'abcd'[n]}`,
    title: `${name} says that this is a deployment`,
    by: 'L0',
    only: true,
    arrange: variable(name, 'set'),
  })),
];

const parserAttacks: Attack[] = [
  {
    id: 'A7',
    title: 'file and shell name different databases',
    by: 'L1',
    arrange: (w) => (w.variables['DATABASE_MIGRATION_URL'] = w.url('migrator', { port: w.servers.production.port })),
  },
  {
    id: 'A8',
    title: 'a stale DATABASE_URL is exported',
    by: 'L1',
    arrange: (w) => (w.variables['DATABASE_URL'] = w.url('app', { database: 'airlock_staging' })),
  },
  {
    id: 'A9',
    title: 'PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD point at production',
    arrange: (w) =>
      Object.assign(w.variables, {
        PGHOST: '127.0.0.1',
        PGPORT: String(w.servers.production.port),
        PGDATABASE: 'postgres',
        PGUSER: 'postgres',
        PGPASSWORD: 'x',
      }),
  },
  {
    id: 'A10',
    title: 'PGOPTIONS, PGSERVICE, PGHOSTADDR are exported',
    arrange: (w) =>
      Object.assign(w.variables, { PGOPTIONS: '-c search_path=prod', PGSERVICE: 'prod', PGHOSTADDR: '192.0.2.1' }),
  },
  ...['?host=prod', '?host=a&host=b', '?port=6432', '?user=admin', '?sslmode=disable'].map((text, n): Attack => ({
    id: `A11${'abcde'[n]}`,
    title: `${text} in the address`,
    by: 'L1',
    arrange: suffix(text),
  })),
  ...['?dbname=airlock_production', '?hostaddr=192.0.2.1', '?service=prod', '?options=-c%20app.env%3Dtest'].map(
    (text, n): Attack => ({ id: `A12${'abcd'[n]}`, title: `${text} in the address`, by: 'L1', arrange: suffix(text) }),
  ),
  {
    id: 'A15',
    title: 'the socket of a local server is the host',
    by: 'L1',
    arrange: edit((url) => url.replace('127.0.0.1', '%2Frun%2Fpostgresql')),
  },
  ...[
    ['%5F for _', (url: string) => url.replace(/_test$/, '%5Ftest')],
    ['an escaped letter', escapeFirstLetter],
    ['two slashes', (url: string) => url.replace(/\/([^/]*)$/, '//$1')],
    ['a slash at the end', (url: string) => `${url}/`],
    ['a fragment', (url: string) => `${url}#x`],
    ['a zero byte', (url: string) => `${url}%00`],
  ].map(([title, change], n): Attack => ({
    id: `A19${'abcdef'[n]}`,
    title: `the database has ${String(title)}`,
    by: 'L1',
    arrange: edit(change as (url: string) => string),
  })),
  { id: 'A21a', title: 'the host is 2130706433', by: 'L1', arrange: address({ host: '2130706433' }) },
  { id: 'A21b', title: 'the host is 127.1', by: 'L1', arrange: address({ host: '127.1' }) },
  { id: 'A21c', title: 'the host is 0x7f.1', by: 'L1', arrange: address({ host: '0x7f.1' }) },
  { id: 'A23', title: 'the address names no database', by: 'L1', arrange: edit((url) => url.replace(/[^/]*$/, '')) },
  {
    id: 'A24a',
    title: '.env.testing is a link to .env.production',
    by: 'L1',
    arrange: (w) => {
      w.writeFile(
        '.env.production',
        `ENVIRONMENT=testing\nDATABASE_URL=${w.url('app')}\nDATABASE_MIGRATION_URL=${w.url('migrator')}\n`,
      );
      w.cleanups.push(() => undefined);
      replaceByLink(w);
    },
  },
  {
    id: 'A25',
    title: 'a key=value connection string replaces the address',
    by: 'L1',
    arrange: edit(() => 'host=127.0.0.1 dbname=airlock_test'),
  },
  {
    id: 'A26a',
    title: 'several hosts, as libpq accepts them',
    by: 'L1',
    arrange: edit((url) => url.replace('127.0.0.1', 'a,127.0.0.1')),
  },
  {
    id: 'A26b',
    title: 'a backslash before an @',
    by: 'L1',
    arrange: edit((url) => url.replace('@127.0.0.1', '@127.0.0.1:5432\\@127.0.0.1')),
  },
  { id: 'A26c', title: 'a # in the password', by: 'L1', arrange: edit((url) => url.replace('-secret', '#')) },
  {
    id: 'A29',
    title: '.env.testing is missing and .env is for development',
    by: 'L1',
    arrange: (w) => {
      w.writeFile(
        '.env',
        `ENVIRONMENT=development\nDATABASE_URL=${w.url('app')}\nDATABASE_MIGRATION_URL=${w.url('migrator')}\n`,
      );
      removeSettings(w);
    },
  },
  {
    id: 'A30',
    title: 'the exported address overrides the file, as with dotenv',
    by: 'L1',
    arrange: (w) => (w.variables['DATABASE_MIGRATION_URL'] = w.url('migrator', { database: 'other_test' })),
  },
  {
    id: 'A36',
    title: 'the second connection goes to another server',
    by: 'L1',
    only: true,
    arrange: (w) => w.writeUrls(w.url('app', { port: w.servers.production.port }), w.url('migrator')),
  },
  {
    id: 'A66',
    title: 'no migrator is named',
    by: 'L1',
    arrange: (w) => w.writeFile('.env.testing', `ENVIRONMENT=testing\nDATABASE_URL=${w.url('app')}\n`),
  },
  {
    id: 'A67',
    title: 'a secret file gives a second address',
    by: 'L1',
    arrange: (w) => {
      w.writeFile('secret', w.url('migrator', { port: 1 }));
      w.variables['DATABASE_MIGRATION_URL_FILE'] = join(w.workspace, 'secret');
    },
  },
];

const allowListAttacks: Attack[] = [
  ...['latest', 'contest', 'attestation', 'protest', 'testimonials', 'fastest_prod', 'app_testing2', 'test_app'].map(
    (database, n): Attack => ({
      id: `A16${'abcdefgh'[n]}`,
      title: `the database is called ${database}`,
      by: 'L1',
      arrange: address({ database }),
    }),
  ),
  { id: 'A17a', title: 'production is called test_prod', by: 'L1', arrange: address({ database: 'test_prod' }) },
  { id: 'A17b', title: 'production is called prod_test', by: 'L1', arrange: address({ database: 'prod_test' }) },
  ...['app', 'main', 'postgres', 'template1'].map((database, n): Attack => ({
    id: `A18${'abcd'[n]}`,
    title: `production is called ${database}`,
    by: 'L1',
    arrange: address({ database }),
  })),
  {
    id: 'A14',
    title: 'localhost, which a hosts file may point anywhere',
    by: 'L2',
    only: true,
    arrange: (w) => {
      w.writeSettings({ host: 'localhost' });
      w.record({ host: 'localhost' });
    },
  },
  { id: 'A20', title: 'the runner has a route to a host called db', by: 'L2', arrange: address({ host: 'db' }) },
  ...['localhost.', 'localhost.prod.example', 'db.local', '127.0.0.2', '0.0.0.0', '10.0.0.5'].map(
    (host, n): Attack => ({
      id: `A22${'abcdef'[n]}`,
      title: `the host is ${host}`,
      by: host === 'localhost.prod.example' ? 'L1' : 'L2',
      arrange: address({ host }),
    }),
  ),
  {
    id: 'A24b',
    title: '.env names the same database',
    by: 'L2',
    only: true,
    arrange: (w) => w.writeFile('.env', `ENVIRONMENT=development\nDATABASE_URL=${w.url('app')}\n`),
  },
  {
    id: 'A24c',
    title: '.env.production names the same database as localhost',
    by: 'L2',
    only: true,
    arrange: (w) => w.writeFile('.env.production', `REPORTING_URL=${w.url('app', { host: 'localhost' })}\n`),
  },
  {
    id: 'A24d',
    title: '.env.staging cannot be understood',
    by: 'L2',
    only: true,
    arrange: (w) => w.writeFile('.env.staging', 'DATABASE_URL=postgres://db/?service=prod\n'),
  },
  {
    id: 'A51',
    title: 'the database is a clone that a test created',
    by: 'L2',
    arrange: (w) => w.writeSettings({ database: `${w.database}_0a1b2c3d` }),
  },
];

const roleAttacks: Attack[] = [
  ...['SUPERUSER', 'CREATEROLE', 'REPLICATION', 'BYPASSRLS'].map((power, n): Attack => ({
    id: `A59${'abcd'[n]}`,
    title: `the migrator has ${power}`,
    by: 'L3',
    only: true,
    arrange: (w) =>
      w.serverUntilDisposed(
        `ALTER ROLE ${w.database}_migrator ${power}`,
        `ALTER ROLE ${w.database}_migrator NO${power}`,
      ),
  })),
  {
    id: 'A59e',
    title: 'the migrator may run programs on the server',
    by: 'L3',
    only: true,
    arrange: (w) =>
      w.serverUntilDisposed(
        `GRANT pg_execute_server_program TO ${w.database}_migrator`,
        `REVOKE pg_execute_server_program FROM ${w.database}_migrator`,
      ),
  },
  ...['pg_write_server_files', 'pg_read_all_data', 'pg_maintain', 'pg_signal_backend', 'pg_monitor'].map(
    (power, n): Attack => ({
      id: `A74${'abcde'[n]}`,
      title: `the owner role is a member of ${power}`,
      by: 'L3',
      arrange: (w) =>
        w.serverUntilDisposed(`GRANT ${power} TO ${w.database}_owner`, `REVOKE ${power} FROM ${w.database}_owner`),
    }),
  ),
  ...[
    ['a superuser, through two others', 'SUPERUSER', ''],
    ['a superuser, through two others and with no option', 'SUPERUSER', 'WITH INHERIT FALSE, SET FALSE'],
    [
      'a role that creates roles, which it may only grant to others',
      'CREATEROLE',
      'WITH ADMIN TRUE, INHERIT FALSE, SET FALSE',
    ],
    ['an unrelated role without any power', '', ''],
  ].map(([title, power, options], n): Attack => ({
    id: `A75${'abcd'[n]}`,
    title: `the owner role is a member of ${title}`,
    by: 'L3',
    ...ONCE(n),
    arrange: (w) => memberOf(w, { power: power ?? '', options: options ?? '' }),
  })),
  {
    id: 'A76a',
    title: 'the owner role owns another database, which it may not even connect to',
    by: 'L3',
    only: true,
    arrange: (w) => otherDatabase(w, `ALTER DATABASE :other OWNER TO ${w.database}_owner`),
  },
  {
    id: 'A76b',
    title: 'a role that the migrator is a member of owns another database',
    by: 'L3',
    arrange: async (w) => {
      await memberOf(w, { power: '', options: '' });
      await otherDatabase(w, `ALTER DATABASE :other OWNER TO ${w.database}_far`);
    },
  },
  {
    id: 'A76c',
    title: 'the owner role has rights on a table of another database',
    by: 'L3',
    only: true,
    arrange: async (w) => {
      await otherDatabase(w, 'SELECT 1');
      await runAs({ ...w.inside, database: 'customers' }, (client) =>
        client.query(`CREATE TABLE people (); GRANT DELETE ON people TO ${w.database}_owner`),
      );
    },
  },
  ...['SUPERUSER', 'BYPASSRLS'].map((power, n): Attack => ({
    id: `A76${'de'[n]}`,
    title: `the role of the system, which the migrator is a member of, has ${power}`,
    by: 'L3',
    arrange: (w) => w.serverUntilDisposed(`ALTER ROLE airlock_system ${power}`, `ALTER ROLE airlock_system NO${power}`),
  })),
  {
    id: 'A76f',
    title: 'the role of the system owns another database',
    by: 'L3',
    arrange: (w) => otherDatabase(w, 'ALTER DATABASE :other OWNER TO airlock_system'),
  },
  {
    id: 'A76g',
    title: 'the migrator may connect to another database as a member of the role of the system',
    by: 'L3',
    arrange: async (w) => {
      await w.serverUntilDisposed(
        `GRANT airlock_system TO ${w.database}_migrator WITH INHERIT TRUE`,
        `GRANT airlock_system TO ${w.database}_migrator WITH INHERIT FALSE`,
      );
      await otherDatabase(w, 'GRANT CONNECT ON DATABASE :other TO airlock_system');
    },
  },
  ...[
    'ALTER ROLE :db_migrator SET session_preload_libraries = $$auto_explain$$',
    'ALTER ROLE :db_owner SET search_path = evil',
    'ALTER ROLE :db_migrator SET role = :db_owner',
    'ALTER ROLE :db_migrator IN DATABASE postgres SET role = :db_owner',
    'ALTER DATABASE :db SET default_transaction_isolation = serializable',
    'ALTER DATABASE :db_tpl SET search_path = evil',
  ].map((sql, n): Attack => ({
    id: `A77${'abcdef'[n]}`,
    title: sql.replaceAll(':db', 'airlock_test').replaceAll('$$', "'"),
    by: 'L3',
    ...ONCE(n),
    arrange: (w) => {
      const text = sql.replaceAll(':db', w.database).replaceAll('$$', "'");
      return w.serverUntilDisposed(text, text.replace(/ SET (\w+) = .*/, ' RESET $1'));
    },
  })),
  {
    id: 'A68',
    title: 'the role may connect to a database that is not a test database',
    by: 'L3',
    only: true,
    arrange: (w) => w.serverUntilDisposed('CREATE DATABASE customers', 'DROP DATABASE customers'),
  },
  {
    id: 'A69',
    title: 'the role may not become the owner of the test database',
    by: 'L3',
    arrange: (w) => w.server(`REVOKE ${w.database}_owner FROM ${w.database}_migrator`),
  },
];

const throughProxy = (choose: (w: World, nth: number) => number) => async (w: World) => {
  const proxy = await startProxy((nth) => choose(w, nth));
  w.cleanups.push(() => proxy.stop());
  w.writeSettings({ port: proxy.port });
  w.record({ port: proxy.port });
};

/** Server-side settings place a schema before the catalogue, whose functions and operators return forged values. */
const lookAlikes = async (w: World) => {
  await w.sql(`
    CREATE SCHEMA evil;
    CREATE FUNCTION evil.current_database() RETURNS name LANGUAGE sql AS $$ SELECT '${w.database}'::name $$;
    CREATE FUNCTION evil.agree(name, name) RETURNS boolean LANGUAGE sql AS 'SELECT true';
    CREATE FUNCTION evil.agree(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
    CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = name, FUNCTION = evil.agree);
    CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.agree);
    GRANT USAGE ON SCHEMA evil TO PUBLIC`);
  await w.server(`
    ALTER DATABASE ${w.database} SET search_path = evil, pg_catalog;
    ALTER ROLE ${w.database}_migrator SET search_path = evil, pg_catalog`);
};

const identityAttacks: Attack[] = [
  {
    id: 'A13',
    title: 'a tunnel to production listens on the port',
    by: 'L4',
    arrange: async (w) => {
      await w.provisionProduction();
      await throughProxy(({ servers }) => servers.production.port)(w);
    },
  },
  {
    id: 'A17c',
    title: 'production has exactly the name of the test database, with a forged testing stamp',
    by: 'L4',
    only: true,
    arrange: async (w) => {
      await w.provisionProduction('testing');
      await throughProxy(({ servers }) => servers.production.port)(w);
    },
  },
  {
    id: 'A28',
    title: 'the record of provisioning is missing',
    by: 'L4',
    only: true,
    arrange: (w) => {
      w.writeSettings({ port: w.servers.test.port });
      w.record({ systemIdentifier: '' });
    },
  },
  {
    id: 'A60',
    title: 'the record is that of production',
    by: 'L4',
    only: true,
    arrange: (w) => w.record({ environment: 'production' }),
  },
  {
    id: 'A31',
    title: 'a cached configuration leads to another server than its text',
    by: 'L4',
    arrange: async (w) => {
      await w.provisionProduction();
      await throughProxy(({ servers }) => servers.production.port)(w);
    },
  },
  {
    id: 'A33',
    title: 'the stamp is absent',
    by: 'L4',
    only: true,
    arrange: inside('ALTER TABLE ops.environment RENAME TO migrations'),
  },
  {
    id: 'A34',
    title: 'the stamp is absent and the database is empty',
    by: 'L4',
    arrange: (w) => w.sql('DROP SCHEMA ops CASCADE'),
  },
  { id: 'A35a', title: 'the stamp has no row', by: 'L4', only: true, arrange: inside('DELETE FROM ops.environment') },
  {
    id: 'A35b',
    title: 'the stamp has two rows',
    by: 'L4',
    only: true,
    arrange: inside(
      'ALTER TABLE ops.environment DROP CONSTRAINT environment_pkey; INSERT INTO ops.environment TABLE ops.environment',
    ),
  },
  {
    id: 'A37',
    title: 'a restore of production contained its stamp',
    by: 'L4',
    only: true,
    arrange: inside(`UPDATE ops.environment SET environment = 'production', database_name = 'airlock'`),
  },
  {
    id: 'A38',
    title: 'the stamp was bound to another server',
    by: 'L4',
    only: true,
    arrange: inside(`UPDATE ops.environment SET system_identifier = '7000000000000000001'`),
  },
  {
    id: 'A70',
    title: 'the stamp was bound to another database of this server',
    by: 'L4',
    only: true,
    arrange: inside('UPDATE ops.environment SET database_oid = 1'),
  },
  {
    id: 'A45',
    title: 'the database was renamed after stamping',
    by: 'L4',
    arrange: async (w) => {
      await w.server(`ALTER DATABASE ${w.database} RENAME TO ${w.database}_0000dead`);
      await w.server(`CREATE DATABASE ${w.database} TEMPLATE ${w.database}_0000dead OWNER ${w.database}_owner`);
      w.cleanups.push(() => w.server(`DROP DATABASE ${w.database}_0000dead`));
    },
  },
  {
    id: 'A73a',
    title: 'search_path of role and database points to look-alikes of the catalogue',
    by: 'L3',
    also: ['L9'],
    arrange: lookAlikes,
  },
  {
    id: 'A73b',
    title: 'look-alikes of the catalogue agree with a stamp that was bound to another database',
    by: 'L3',
    also: ['L4', 'L9'],
    arrange: async (w) => {
      await w.sql('UPDATE ops.environment SET database_oid = 1');
      await lookAlikes(w);
    },
  },
  ...[
    ['a view', 'CREATE VIEW ops.environment AS TABLE ops.migrations'],
    ['a materialized view', 'CREATE MATERIALIZED VIEW ops.environment AS TABLE ops.migrations'],
    ['a partitioned table', 'CREATE TABLE ops.environment (LIKE ops.migrations) PARTITION BY LIST (environment)'],
    [
      'a foreign table',
      'CREATE FOREIGN DATA WRAPPER far; CREATE SERVER far FOREIGN DATA WRAPPER far; CREATE FOREIGN TABLE ops.environment (environment text) SERVER far',
    ],
  ].map(([title, sql], n): Attack => ({
    id: `A78${'abcd'[n]}`,
    title: `the stamp is ${title}`,
    by: 'L4',
    arrange: inside(
      `ALTER TABLE ops.environment RENAME TO migrations; ${sql}; GRANT SELECT ON ops.environment TO PUBLIC`,
    ),
  })),
  ...[
    [
      'shows its rows by row-level security',
      'ALTER TABLE ops.environment ENABLE ROW LEVEL SECURITY; CREATE POLICY parcels_owner ON ops.environment USING (true)',
    ],
    ['has a child', 'CREATE TABLE ops.migrations () INHERITS (ops.environment)'],
    [
      'is a child',
      'CREATE TABLE ops.migrations (LIKE ops.environment); ALTER TABLE ops.environment INHERIT ops.migrations',
    ],
    ['is lost at a crash', 'ALTER TABLE ops.environment SET UNLOGGED'],
  ].map(([title, sql], n): Attack => ({
    id: `A79${'abcd'[n]}`,
    title: `the stamp ${title}`,
    by: 'L4',
    ...ONCE(n - 1),
    arrange: inside(String(sql)),
  })),
  {
    id: 'A79e',
    title: 'the stamp has a trigger',
    by: 'L4',
    also: ['L9'],
    arrange: inside(
      'CREATE TRIGGER t BEFORE UPDATE ON ops.environment FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    ),
  },
  {
    id: 'A79f',
    title: 'the stamp has a rule',
    by: 'L4',
    also: ['L9'],
    arrange: inside('CREATE RULE r AS ON UPDATE TO ops.environment DO INSTEAD NOTHING'),
  },
  {
    id: 'A71',
    title: 'the stamp was forged, but the catalogue has another seal for the database',
    by: 'L4',
    arrange: (w) => w.server(`COMMENT ON DATABASE ${w.database} IS 'airlock testing on 1 as 2'`),
  },
  {
    id: 'A49',
    title: 'a pooler sends the two sessions to two servers',
    by: 'L4',
    arrange: async (w) => {
      await w.provisionProduction('testing');
      await throughProxy(({ servers }, nth) => (nth === 2 ? servers.production.port : servers.test.port))(w);
    },
  },
];

const tripwireAttacks: Attack[] = [
  {
    id: 'A39',
    title: 'a dump of real data was restored under a stale test stamp',
    by: 'L5',
    only: true,
    arrange: inside(
      'CREATE TABLE public.parcels AS SELECT n FROM generate_series(1, 200001) n; ANALYZE public.parcels',
    ),
  },
  { id: 'A43', title: 'a development server is connected', by: 'L5', arrange: (w) => connectAs(w, 'app') },
  {
    id: 'A44',
    title: 'the session of a superuser hides its details',
    by: 'L5',
    arrange: (w) => connectAs(w, 'superuser'),
  },
  {
    id: 'A52a',
    title: 'the database publishes its changes',
    by: 'L5',
    only: true,
    arrange: inside('CREATE PUBLICATION outward FOR ALL TABLES'),
  },
  {
    id: 'A52b',
    title: 'the database subscribes to another one',
    by: 'L5',
    arrange: async (w) => {
      await w.sql(
        `CREATE SUBSCRIPTION inward CONNECTION 'host=192.0.2.1' PUBLICATION p WITH (connect = false, slot_name = NONE, enabled = false)`,
      );
      // A database with a subscription cannot be dropped.
      w.cleanups.push(() => w.sql('DROP SUBSCRIPTION inward'));
    },
  },
  {
    id: 'A53',
    title: 'the database defines a foreign server',
    by: 'L5',
    only: true,
    arrange: inside('CREATE FOREIGN DATA WRAPPER far; CREATE SERVER production FOREIGN DATA WRAPPER far'),
  },
  {
    id: 'A58',
    title: 'the stamp of production was restored into another schema',
    by: 'L5',
    arrange: inside('CREATE SCHEMA old_ops; CREATE TABLE old_ops.environment AS TABLE ops.environment'),
  },
  {
    id: 'A58b',
    title: 'the stamp of production was restored under the name of a table of a migration',
    by: 'L5',
    only: true,
    arrange: inside('CREATE TABLE public.parcels AS TABLE ops.environment'),
  },
];

const methodAttacks: Attack[] = [
  {
    id: 'A56a',
    title: 'the template is missing',
    by: 'L6',
    arrange: async (w) => {
      await w.server(`ALTER DATABASE ${w.database}_tpl IS_TEMPLATE false`);
      await w.server(`DROP DATABASE ${w.database}_tpl`);
    },
  },
  {
    id: 'A56b',
    title: 'the template was opened, so its contents are unknown',
    by: 'L6',
    only: true,
    arrange: (w) =>
      w.serverUntilDisposed(
        `ALTER DATABASE ${w.database}_tpl ALLOW_CONNECTIONS true`,
        `ALTER DATABASE ${w.database}_tpl ALLOW_CONNECTIONS false`,
      ),
  },
  {
    id: 'A56c',
    title: 'the template was replaced',
    by: 'L6',
    only: true,
    arrange: (w) => w.server(`COMMENT ON DATABASE ${w.database}_tpl IS 'made by hand'`),
  },
  {
    id: 'A57a',
    title: 'a forged journal names another database for dropping',
    by: 'L6',
    arrange: (w) => forgeJournal(w, { fresh: 'postgres' }),
  },
  {
    id: 'A57b',
    title: 'the journal is damaged',
    by: 'L6',
    only: true,
    arrange: (w) => {
      forgeJournal(w, {});
      damageJournal(w);
    },
  },
  {
    id: 'A57c',
    title: 'the journal is from another server',
    by: 'L6',
    only: true,
    arrange: (w) => forgeJournal(w, { systemIdentifier: '1' }),
  },
];

const contentsAttacks: Attack[] = [
  ['a schema production with a table', 'CREATE SCHEMA production; CREATE TABLE production.customers (name text)'],
  ['an empty schema', 'CREATE SCHEMA production'],
  ['a table in public', 'CREATE TABLE public.customers (name text)'],
  ['a table in ops', 'CREATE TABLE ops.customers (name text)'],
  ['a table whose name differs in case', 'CREATE TABLE public."Parcels" (name text)'],
  [
    'a partition',
    'CREATE TABLE public.parcels (n int) PARTITION BY LIST (n); CREATE TABLE public.p PARTITION OF public.parcels DEFAULT',
  ],
  ['a view', 'CREATE VIEW public.people AS SELECT 1 AS n'],
  ['a materialized view', 'CREATE MATERIALIZED VIEW public.people AS SELECT 1 AS n'],
  ['a sequence', 'CREATE SEQUENCE public.invoice_numbers'],
  ['a function', 'CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$'],
  [
    'a function in the catalogue',
    'SET allow_system_table_mods = on; CREATE FUNCTION pg_catalog.f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
  ],
  ['an enum', "CREATE TYPE public.colour AS ENUM ('red')"],
  ['a domain', 'CREATE DOMAIN public.positive AS int CHECK (VALUE > 0)'],
  ['a large object', "SELECT lo_from_bytea(0, 'customer')"],
  [
    'a trigger',
    'CREATE TRIGGER t BEFORE UPDATE ON ops.environment FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    'L4',
  ],
  ['a cast', 'CREATE CAST (point AS text) WITH INOUT AS ASSIGNMENT'],
  ['statistics', 'CREATE TABLE public.parcels (a int, b int); CREATE STATISTICS public.s ON a, b FROM public.parcels'],
].map(([title, sql, by = 'L9'], n): Attack => ({
  id: `A80${'abcdefghijklmnopqrs'[n]}`,
  title: `no migration creates an object in the database: ${title}`,
  by,
  ...ONCE(n),
  ...(by !== 'L9' && { also: ['L9'] }),
  arrange: inside(String(sql)),
}));

const LOGIN_TRIGGER = `CREATE FUNCTION public.at_login() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
  CREATE EVENT TRIGGER at_login ON login EXECUTE FUNCTION public.at_login()`;

const templateAttacks: Attack[] = [
  ...[
    [
      'an event trigger',
      'CREATE FUNCTION public.f() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$; CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION public.f()',
    ],
    ['a foreign data wrapper', 'CREATE FOREIGN DATA WRAPPER far'],
    ['a function', 'CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$'],
    ['a schema', 'CREATE SCHEMA production'],
    [
      'a trigger on the stamp',
      'CREATE TRIGGER t BEFORE UPDATE ON ops.environment FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    ],
    ['a rule on the stamp', 'CREATE RULE r AS ON UPDATE TO ops.environment DO ALSO NOTIFY changed'],
    ['another default in the stamp', 'ALTER TABLE ops.environment ALTER created_at SET DEFAULT clock_timestamp()'],
    ['another check of the stamp', 'ALTER TABLE ops.environment ADD CHECK (created_by IS NOT NULL)'],
    ['another index of the stamp', 'CREATE INDEX ON ops.environment (upper(database_name))'],
    ['another column in the stamp', 'ALTER TABLE ops.environment ADD extra text'],
    [
      'another body of a function of ours',
      'CREATE OR REPLACE FUNCTION ops.restamp(as_name text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN UPDATE ops.environment SET database_name = as_name, database_oid = (SELECT oid FROM pg_database WHERE datname = current_database()); END $$',
    ],
    ['a table', 'CREATE TABLE public.parcels_kept (n int)'],
  ].map(([title, sql], n): Attack => ({
    id: `A81${'abcdefghijkl'[n]}`,
    title: `the template holds ${title}`,
    by: 'L10',
    ...ONCE(n),
    arrange: (w) => plant(w, String(sql)),
  })),
  {
    id: 'A82a',
    title: 'the template runs code at login',
    by: 'L6',
    arrange: (w) => plant(w, LOGIN_TRIGGER),
  },
  {
    id: 'A82b',
    title: 'the database runs code at login',
    failure: /runs an event trigger when a session opens/,
    arrange: inside(LOGIN_TRIGGER),
  },
  {
    id: 'A83',
    title: 'dblink and an event trigger in the template would change the production server while the clone is migrated',
    by: 'L10',
    only: true,
    arrange: plantRemoteWriter,
  },
  {
    id: 'A84a',
    title: 'the template is in another tablespace',
    by: 'L6',
    only: true,
    arrange: (w) => moveElsewhere(w, `${w.database}_tpl`),
  },
  {
    id: 'A84b',
    title: 'the database is in another tablespace',
    by: 'L6',
    only: true,
    arrange: (w) => moveElsewhere(w, w.database),
  },
];

const auditAttacks: Attack[] = [
  ['a FIFO', (path: string) => spawnSync('mkfifo', [path])],
  ['/dev/null, by a link', (path: string) => symlinkSync('/dev/null', path)],
  ['a link to another file', (path: string) => symlinkSync('elsewhere', path)],
  ['a folder', (path: string) => mkdirSync(path)],
  [
    'a second name of another file',
    (path: string) => (writeFileSync(`${path}.other`, ''), linkSync(`${path}.other`, path)),
  ],
].map(([title, arrange], n): Attack => ({
  id: `A85${'abcde'[n]}`,
  title: `the audit is ${String(title)}`,
  by: 'L11',
  ...ONCE(n),
  arrange: (w) => (arrange as (path: string) => unknown)(join(w.workspace, AUDIT_FILE)),
}));

const protectedAttacks: Attack[] = [
  {
    id: 'A61',
    title: 'the server also holds a production database',
    by: 'L7',
    only: true,
    arrange: async (w) => {
      await w.serverUntilDisposed('CREATE DATABASE shop', 'DROP DATABASE shop');
      await w.servers.testAdmin.query(
        `REVOKE CONNECT ON DATABASE shop FROM PUBLIC; COMMENT ON DATABASE shop IS 'airlock production on 1 as 2'`,
      );
    },
  },
  {
    id: 'A62',
    title: 'the database refuses drops, as staging and production do',
    by: 'L7',
    arrange: inside(
      `CREATE FUNCTION ops.refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER airlock_refuse_drop ON sql_drop EXECUTE FUNCTION ops.refuse()`,
    ),
  },
];

const absenceAttacks: Attack[] = [
  {
    id: 'A63',
    title: 'the code was copied into an image',
    by: 'L8',
    only: true,
    arrange: (w) => (w.internals = { facts: { runsFrom: '/app/libs/database/dist/testing/reset/run-reset.js' } }),
  },
  {
    id: 'A64',
    title: 'the working folder is not a checkout',
    by: 'L8',
    only: true,
    arrange: (w) => removeFile(w, 'nx.json'),
  },
];

const allowed: Attack[] = [
  { id: 'A0', title: 'nothing is wrong' },
  {
    id: 'A72',
    title: 'another test database and its clones are on the server',
    arrange: (w) => w.serverUntilDisposed('CREATE DATABASE other_test_0a1b2c3d', 'DROP DATABASE other_test_0a1b2c3d'),
  },
  {
    id: 'A72b',
    title: 'the role of the system has rights in another database, as provisioning gives them',
    arrange: async (w) => {
      await otherDatabase(w, 'SELECT 1');
      await runAs({ ...w.inside, database: 'customers' }, (client) =>
        client.query('CREATE TABLE people (); GRANT SELECT, UPDATE ON people TO airlock_system'),
      );
    },
  },
];

export const ATTACKS: readonly Attack[] = [
  ...intentAttacks,
  ...parserAttacks,
  ...allowListAttacks,
  ...roleAttacks,
  ...identityAttacks,
  ...tripwireAttacks,
  ...methodAttacks,
  ...contentsAttacks,
  ...templateAttacks,
  ...auditAttacks,
  ...protectedAttacks,
  ...absenceAttacks,
  ...allowed,
];

/** The owner role joins a role that joins one with the power. All are removed afterwards. */
async function memberOf(w: World, { power, options }: { power: string; options: string }): Promise<void> {
  const [near, far] = [`${w.database}_near`, `${w.database}_far`];
  await w.serverUntilDisposed(
    `CREATE ROLE ${near}; CREATE ROLE ${far} ${power}; GRANT ${far} TO ${near} ${options}; GRANT ${near} TO ${w.database}_owner`,
    `DROP ROLE ${near}; DROP ROLE ${far}`,
  );
}

/** An unrelated database on the server of the tests, closed to all roles. */
async function otherDatabase(w: World, sql: string): Promise<void> {
  await w.serverUntilDisposed('CREATE DATABASE customers', 'DROP DATABASE customers');
  await w.servers.testAdmin.query('REVOKE ALL ON DATABASE customers FROM PUBLIC');
  await w.servers.testAdmin.query(sql.replaceAll(':other', 'customers'));
}

/** Changes the template, which looks unchanged from outside afterwards. */
async function plant(w: World, sql: string): Promise<void> {
  const name = `${w.database}_tpl`;
  await w.server(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  await runAs({ ...w.inside, database: name }, (client) => client.query(sql));
  await w.server(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
}

/** Fires at the first statement of a migration, and reaches the canary of the other server. */
async function plantRemoteWriter(w: World): Promise<void> {
  const { port, user, password } = w.servers.production.superuser;
  const target = `host=127.0.0.1 port=${port} user=${user} password=${password.reveal()} dbname=postgres`;
  await plant(
    w,
    `CREATE EXTENSION dblink SCHEMA public;
     CREATE FUNCTION public.reach_out() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS
       $$ BEGIN PERFORM public.dblink_exec('${target}', 'UPDATE canary SET alive = 0'); END $$;
     CREATE EVENT TRIGGER reach_out ON ddl_command_start EXECUTE FUNCTION public.reach_out()`,
  );
  w.cleanups.push(() => w.servers.productionAdmin.query('UPDATE canary SET alive = 1'));
  w.internals = { prepare: (config) => migrate({ config, ...sampleModel }).then(() => undefined) };
}

/** The tablespace stays: with the layer removed, the clone uses it. */
async function moveElsewhere(w: World, name: string): Promise<void> {
  await w.server(`SET allow_in_place_tablespaces = on`);
  await w.server(`CREATE TABLESPACE ${name}_space LOCATION ''`);
  await w.server(`ALTER DATABASE ${name} SET TABLESPACE ${name}_space`);
}

function escapeFirstLetter(url: string): string {
  return url.replace(
    /\/([a-z])([^/]*)$/,
    (_, first: string, rest: string) => `/%${first.charCodeAt(0).toString(16)}${rest}`,
  );
}

function replaceByLink(w: World): void {
  removeSettings(w);
  symlinkSync('.env.production', join(w.workspace, '.env.testing'));
}

function removeSettings(w: World): void {
  removeFile(w, '.env.testing');
}

async function connectAs(w: World, who: 'app' | 'superuser'): Promise<void> {
  const target = who === 'app' ? w.options.app : w.inside;
  const client = await connectClient(target, { config: createSessionConfig('development'), purpose: 'api' });
  w.cleanups.push(() => client.end());
}

function forgeJournal(w: World, overrides: object): void {
  const { systemIdentifier, host, port } = w.servers.test;
  const { database } = w;
  saveJournal(
    w.workspace,
    { host, port, database },
    {
      step: 'swapped',
      systemIdentifier,
      database,
      fresh: `${database}_00000001`,
      freshOid: 1,
      retired: `${database}_00000002`,
      retiredOid: 2,
      ...overrides,
    },
  );
}

function damageJournal(w: World): void {
  const { host, port } = w.servers.test;
  writeFileSync(getJournalPath(w.workspace, { host, port, database: w.database }), '{"step":"swa');
}

function removeFile(w: World, name: string): void {
  rmSync(join(w.workspace, name), { force: true });
}
