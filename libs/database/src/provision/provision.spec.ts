import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ENVIRONMENTS, Secret } from '@airlock/config';
import { skipUnless } from '@airlock/config/testing';
import { assertIdentity } from '../identity/assert-identity.js';
import { startScratchCluster, type Cluster } from '@airlock/embedded-postgres';
import { ask, createAddresses, runAs } from './provision.fixture.js';
import { provision, readBootstrapSql, type ProvisionOptions } from './provision.js';
import { createScramVerifier } from './scram.js';

const hasPsql = spawnSync('psql', ['--version']).status === 0;
const describeWithPsql = skipUnless(hasPsql, describe, 'no psql on PATH');
let cluster: Cluster;
let counter = 0;
const next = (environment: (typeof ENVIRONMENTS)[number]) => createAddresses(cluster, `p${++counter}`, environment);
const inside = ({ admin, app }: ProvisionOptions) => ({ ...admin, database: app.database });

beforeAll(async () => {
  cluster = await startScratchCluster();
}, 60_000);
afterAll(() => cluster.stop());

describe('provision', () => {
  it.each(ENVIRONMENTS)(
    'creates a %s database with that stamp; a second run gives the same result',
    async (environment) => {
      const options = next(environment);
      const first = await provision(options);
      const second = await provision(options);
      expect(first).toMatchObject({
        created: true,
        warnings: [],
        stamp: { environment, databaseName: options.app.database },
      });
      expect(second).toEqual({ ...first, created: false });
      expect(first.stamp.systemIdentifier).toBe(cluster.systemIdentifier);
    },
  );

  it('creates one database for six concurrent callers', async () => {
    const options = next('production');
    const reports = await Promise.all(Array.from({ length: 6 }, () => provision(options)));
    expect(reports.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(reports.map(({ stamp }) => stamp.databaseOid)).size).toBe(1);
  });

  it('sets changed passwords', async () => {
    const options = next('development');
    await provision(options);
    const app = { ...options.app, password: new Secret(`it's "new" \\ $1`) };
    await provision({ ...options, app });
    expect(await runAs(app, (client) => ask(client, 'SELECT 1'))).toBe(1);
    await expect(runAs(options.app, (client) => ask(client, 'SELECT 1'))).rejects.toThrow(
      'password authentication failed',
    );
  });

  it('revokes rights that a role must not have', async () => {
    const options = next('staging');
    await provision(options);
    const roles = `'${options.app.user}', '${options.migration.user}', '${options.app.database}_owner'`;
    await runAs(options.admin, async (admin) => {
      for (const role of [options.app.user, options.migration.user, `${options.app.database}_owner`])
        await admin.query(`ALTER ROLE ${role} LOGIN SUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS`);
      await provision(options);
      expect(
        await ask(
          admin,
          `SELECT count(*)::int FROM pg_roles WHERE rolname IN (${roles})
          AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)`,
        ),
      ).toBe(0);
      expect(await ask(admin, `SELECT rolcanlogin FROM pg_roles WHERE rolname = '${options.app.database}_owner'`)).toBe(
        false,
      );
    });
  });

  it('gives a second application role the current rights of the first, and none that were revoked', async () => {
    const options = next('production');
    await provision(options);
    await runAs(options.migration, async (migrator) => {
      await migrator.query(`SET ROLE ${options.app.database}_owner`);
      await migrator.query('CREATE TABLE kept (id serial PRIMARY KEY, n int)');
      await migrator.query(`CREATE TABLE log (line text); REVOKE UPDATE, DELETE ON log FROM ${options.app.user}`);
    });
    const second = { ...options, app: { ...options.app, user: `${options.app.user}_b` } };
    await provision(second);
    await runAs(second.app, async (app) => {
      expect(await ask(app, 'INSERT INTO kept (n) VALUES (7) RETURNING n')).toBe(7);
      expect(await ask(app, `INSERT INTO log VALUES ('a') RETURNING line`)).toBe('a');
      expect(await ask(app, 'DELETE FROM log')).toBe('permission denied for table log');
    });
    expect(await runAs(options.app, (app) => ask(app, 'SELECT n FROM kept'))).toBe(7);
  });

  it('gives the role of the system what the application may do, also in a database that was provisioned without it', async () => {
    const options = next('development');
    await provision(options);
    const [app, owner] = [options.app.user, `${options.app.database}_owner`];
    await runAs(inside(options), (admin) =>
      admin.query(`
        DROP TABLE ops.system_uses; REVOKE USAGE ON SCHEMA ops FROM airlock_system; SET ROLE "${owner}";
        ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM airlock_system;
        CREATE TABLE public.open (a int); CREATE TABLE public.log (a int); REVOKE UPDATE, DELETE ON public.log FROM "${app}"`),
    );
    await provision(options);
    const rights = (table: string) =>
      runAs(inside(options), (admin) =>
        ask(
          admin,
          `SELECT string_agg(right_, ' ' ORDER BY n) FROM unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE}'::text[])
          WITH ORDINALITY AS r (right_, n) WHERE has_table_privilege('airlock_system', '${table}', right_)`,
        ),
      );
    expect(await rights('public.open')).toBe('SELECT INSERT UPDATE DELETE');
    expect(await rights('public.log')).toBe('SELECT INSERT');
    expect(await rights('ops.system_uses')).toBeNull();
    expect(await rights('ops.environment')).toBeNull();
    const schema = `SELECT string_agg(r, ' ') FROM unnest('{USAGE,CREATE}'::text[]) AS r WHERE has_schema_privilege('airlock_system', 'ops', r)`;
    expect(await runAs(inside(options), (admin) => ask(admin, schema))).toBe('USAGE');
  });

  it.each([
    ['may log in', 'ALTER ROLE airlock_system LOGIN', 'ALTER ROLE airlock_system NOLOGIN'],
    ['passes row-level security', 'ALTER ROLE airlock_system BYPASSRLS', 'ALTER ROLE airlock_system NOBYPASSRLS'],
    [
      'is a member of a role',
      'GRANT pg_read_all_data TO airlock_system',
      'REVOKE pg_read_all_data FROM airlock_system',
    ],
  ])('refuses a role of the system that %s', async (_, change, undo) => {
    const options = next('production');
    await provision(options);
    await runAs(options.admin, (admin) => admin.query(change));
    await expect(provision(options)).rejects.toThrow('role "airlock_system": has powers');
    await runAs(options.admin, (admin) => admin.query(undo));
    expect((await provision(options)).created).toBe(false);
  });

  it('refuses an application role that may become the owner', async () => {
    const options = next('preview');
    await provision(options);
    await runAs(options.admin, (admin) => ask(admin, `GRANT ${options.app.database}_owner TO ${options.app.user}`));
    await expect(provision(options)).rejects.toThrow('expected an application role that cannot change the schema');
  });

  it('refuses to change the environment of a database with any option', async () => {
    const options = next('production');
    await provision(options);
    await expect(provision({ ...options, environment: 'testing', adopt: options.app.database })).rejects.toMatchObject({
      name: 'ProvisionError',
      exitCode: 3,
      message: `database "${options.app.database}": is stamped production; expected testing\n  No flag overrides this. Correct ENVIRONMENT or the database URL.`,
    });
  });

  it('adopts a database with contents only by its full name, and never for testing', async () => {
    const options = next('staging');
    const { database } = options.app;
    await runAs(options.admin, (admin) => admin.query(`CREATE DATABASE ${database}`));
    await runAs(inside(options), (client) => client.query('CREATE TABLE kept AS SELECT 7 AS n'));
    await expect(provision(options)).rejects.toThrow(
      `database "${database}": holds 1 objects and no stamp; expected an empty database or a stamped one\n` +
        `  If another program made it: airlock db adopt\n` +
        `  If it is a copy of ours that should become staging: airlock db provision --adopt ${database}`,
    );
    await expect(provision({ ...options, adopt: 'true' })).rejects.toThrow('holds 1 objects');
    await expect(provision({ ...options, environment: 'testing', adopt: database })).rejects.toThrow('never adopted');
    expect((await provision({ ...options, adopt: database })).stamp.environment).toBe('staging');
    expect(await runAs(inside(options), (client) => ask(client, 'SELECT n FROM kept'))).toBe(7);
  });

  it('refuses a clone, which contains the stamp of its original', async () => {
    const options = next('preview');
    await provision(options);
    const clone = {
      ...options,
      app: { ...options.app, database: 'cloned' },
      migration: { ...options.migration, database: 'cloned' },
    };
    await runAs(options.admin, (admin) => admin.query(`CREATE DATABASE cloned TEMPLATE ${options.app.database}`));
    await expect(provision(clone)).rejects.toThrow('carries the stamp of another database');
    expect((await provision({ ...clone, adopt: 'cloned' })).stamp.databaseName).toBe('cloned');
  });

  it.each([
    [
      'one role for two purposes',
      (o: ProvisionOptions) => ({ ...o, migration: { ...o.migration, user: o.app.user } }),
      'are not four different roles',
    ],
    [
      'the administrator as the application',
      (o: ProvisionOptions) => ({ ...o, app: { ...o.app, user: o.admin.user } }),
      'are not four different roles',
    ],
    [
      'a role name with a quote',
      (o: ProvisionOptions) => ({ ...o, app: { ...o.app, user: `a"; DROP` } }),
      'is not a valid role name',
    ],
    [
      'two databases',
      (o: ProvisionOptions) => ({ ...o, migration: { ...o.migration, database: 'other' } }),
      'do not name one database',
    ],
    ['two servers', (o: ProvisionOptions) => ({ ...o, admin: { ...o.admin, port: 1 } }), 'do not name one database'],
    [
      "the server's own database",
      (o: ProvisionOptions) => ({
        ...o,
        app: { ...o.app, database: 'postgres' },
        migration: { ...o.migration, database: 'postgres' },
      }),
      'is a system database',
    ],
  ])('refuses %s', async (_case, spoil, message) => {
    await expect(provision(spoil(next('development')))).rejects.toThrow(message);
  });

  it.each([
    ['testing', 55],
    ['testing', 57],
    ['production', 58],
    ['development', 63],
  ] as const)('refuses for %s a name of %i bytes before it creates anything', async (environment, bytes) => {
    const database = `${'a'.repeat(bytes - 5)}_test`;
    const options = next(environment);
    const long = { ...options, app: { ...options.app, database }, migration: { ...options.migration, database } };
    await expect(provision(long)).rejects.toThrow(
      new RegExp(`its name has ${bytes} bytes; expected at most \\d\\d in ${environment}`),
    );
    const count = `SELECT count(*)::int FROM pg_database WHERE datname LIKE 'aaaa%'`;
    expect(await runAs(options.admin, (admin) => ask(admin, count))).toBe(0);
  });

  it('leaves room in the longest valid name for its template and its clones', async () => {
    const database = `${'b'.repeat(49)}_test`;
    const options = next('testing');
    await provision({ ...options, app: { ...options.app, database }, migration: { ...options.migration, database } });
    const names = `SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname LIKE 'bbbb%'`;
    expect(await runAs(options.admin, (admin) => ask(admin, names))).toBe(`${database} ${database}_tpl`);
  });

  it('refuses a stamp that is not a plain table', async () => {
    const options = next('staging');
    await provision(options);
    await runAs(inside(options), (client) =>
      client.query('ALTER TABLE ops.environment RENAME TO kept; CREATE VIEW ops.environment AS TABLE ops.kept'),
    );
    await expect(provision(options)).rejects.toThrow('ops.environment is not a plain table');
    const claim = { expected: 'staging' as const, config: { environment: 'staging' as const, database: options } };
    await expect(runAs(inside(options), (client) => assertIdentity(client, claim))).rejects.toThrow(
      'ops.environment: is a view; expected the plain table that provisioning creates',
    );
  });

  describe('from a changed template0', () => {
    const inTemplate0 = async (admin: ProvisionOptions['admin'], sql: string) => {
      await runAs(admin, (client) => client.query('ALTER DATABASE template0 ALLOW_CONNECTIONS true'));
      await runAs({ ...admin, database: 'template0' }, (client) => client.query(sql));
      await runAs(admin, (client) => client.query('ALTER DATABASE template0 ALLOW_CONNECTIONS false'));
    };
    const [MAKE, DROP] = [
      'CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$',
      'DROP EVENT TRIGGER e; DROP FUNCTION f',
    ];

    it.each([
      ['ddl_command_end', 'holds 2 objects and no stamp'],
      ['login', 'template0 of this server runs an event trigger when a session opens'],
    ])('refuses an event trigger on %s', async (event, words) => {
      const options = next('testing');
      await inTemplate0(options.admin, `${MAKE}; CREATE EVENT TRIGGER e ON ${event} EXECUTE FUNCTION f()`);
      try {
        await expect(provision(options)).rejects.toThrow(words);
      } finally {
        await inTemplate0(options.admin, DROP);
        // The server clears the trigger's flag when a session opens and no such trigger exists.
        await inTemplate0(options.admin, 'SELECT 1');
      }
    });
  });

  it('needs no superuser, and warns about the steps that need one', async () => {
    const options = next('production');
    await runAs(options.admin, (admin) =>
      admin.query(`SET scram_iterations = 4096; CREATE ROLE hosted LOGIN CREATEROLE CREATEDB PASSWORD 'hosted'`),
    );
    const hosted = { ...options, admin: { ...options.admin, user: 'hosted', password: new Secret('hosted') } };
    // The role of the system then exists, as on a server whose superuser has provisioned other databases.
    await provision(next('staging'));
    await expect(provision(hosted)).rejects.toThrow('GRANT airlock_system TO hosted WITH ADMIN OPTION');
    await runAs(options.admin, (admin) => admin.query('GRANT airlock_system TO hosted WITH ADMIN OPTION'));
    const { warnings } = await provision(hosted);
    expect(warnings).toEqual([expect.stringContaining('drops in production are NOT refused')]);
    expect((await provision(hosted)).created).toBe(false);
    const testing = { ...createAddresses(cluster, 'hosted_test', 'testing'), admin: hosted.admin };
    await provision(testing);
    expect((await provision(testing)).warnings).toEqual([]);
  });
});

describe('bootstrap.sql', () => {
  it('is plain SQL, so that psql and pg run the same text', () => {
    expect(readBootstrapSql()).not.toMatch(/^\s*\\|\bBEGIN;|\bCOMMIT;|:'/m);
  });
});

describeWithPsql('bootstrap.sql with psql', () => {
  it('creates the same database with psql as with provision', async () => {
    const options = next('staging');
    await runAs(options.admin, (admin) => admin.query(`CREATE DATABASE ${options.app.database}`));
    const parameters = {
      environment: 'staging',
      environments: ENVIRONMENTS.join(','),
      takes_copies: 'on',
      app_user: options.app.user,
      app_password: options.app.password.reveal(),
      migrator_user: options.migration.user,
      migrator_password: options.migration.password.reveal(),
    };
    const settings = Object.entries(parameters).flatMap(([name, value]) => [
      '-c',
      `SELECT set_config('provision.${name}', '${value}', true)`,
    ]);
    const file = fileURLToPath(new URL('./bootstrap.sql', import.meta.url));
    const args = ['-X', '-q', '-1', '-v', 'ON_ERROR_STOP=1', ...settings, '-f', file];
    const { host: PGHOST, port, user: PGUSER, password, database: PGDATABASE } = inside(options);
    const env = {
      PATH: '/usr/bin:/bin',
      PGHOST,
      PGPORT: String(port),
      PGUSER,
      PGPASSWORD: password.reveal(),
      PGDATABASE,
    };
    expect(spawnSync('psql', args, { env, encoding: 'utf8' })).toMatchObject({ status: 0 });
    const { stamp, created, warnings } = await provision(options);
    expect({ environment: stamp.environment, created, warnings }).toEqual({
      environment: 'staging',
      created: false,
      warnings: [],
    });
  });
});

describe('the roles of a provisioned database', () => {
  let options: ProvisionOptions;
  beforeAll(async () => {
    options = next('production');
    await provision(options);
    await runAs(options.migration, async (migrator) => {
      await migrator.query(`SET ROLE ${options.app.database}_owner`);
      await migrator.query(
        `CREATE TABLE canary (id int); INSERT INTO canary VALUES (1); CREATE INDEX i ON canary (id)`,
      );
    });
  });

  it.each([
    ['CREATE TABLE t ()', 'permission denied for schema public'],
    ['CREATE TEMP TABLE t ()', 'permission denied to create temporary tables'],
    ['CREATE SCHEMA s', 'permission denied for database'],
    ['TRUNCATE canary', 'permission denied for table canary'],
    ['ALTER TABLE canary ADD n int', 'must be owner of table canary'],
    ['DROP TABLE canary', 'must be owner of table canary'],
    ['CREATE DATABASE d', 'permission denied to create database'],
    [`UPDATE ops.environment SET environment = 'testing'`, 'permission denied for table environment'],
    ['DELETE FROM ops.environment', 'permission denied for table environment'],
    ['SET session_replication_role = replica', 'permission denied to set parameter'],
  ])('refuse the application: %s', async (sql, words) => {
    expect(await runAs(options.app, (client) => ask(client, sql))).toContain(words);
  });

  it('allow the application to write rows', async () => {
    const insert = 'INSERT INTO canary VALUES (2) RETURNING id';
    expect(await runAs(options.app, (client) => ask(client, insert))).toBe(2);
  });

  it.each([
    [`UPDATE ops.environment SET environment = 'testing'`, 'permission denied for table environment'],
    ['DROP TABLE ops.environment', 'must be owner of table environment'],
    ['DROP SCHEMA ops CASCADE', 'must be owner of schema ops'],
    ['DROP EVENT TRIGGER airlock_refuse_drop', 'must be owner of event trigger'],
    ['ALTER EVENT TRIGGER airlock_refuse_drop DISABLE', 'must be owner of event trigger'],
    ['DROP TABLE canary', 'table public.canary: cannot be dropped in production'],
    ['ALTER TABLE canary DROP COLUMN id', 'cannot be dropped in production'],
    [`COMMENT ON DATABASE :db IS 'airlock testing'`, 'must be owner of database'],
    ['DROP DATABASE :db', 'must be owner of database'],
  ])('refuse the migrator as owner: %s', async (sql, words) => {
    const answer = await runAs(
      sql.startsWith('DROP DATABASE') ? { ...options.migration, database: 'postgres' } : options.migration,
      async (client) => {
        await client.query(`SET ROLE ${options.app.database}_owner`);
        return ask(client, sql.replace(':db', options.app.database));
      },
    );
    expect(answer).toContain(words);
  });

  it('allow the migrator to drop an index, and a table after SET LOCAL ops.allow_drop', async () => {
    await runAs(options.migration, async (migrator) => {
      await migrator.query(`SET ROLE ${options.app.database}_owner; CREATE TABLE old ()`);
      await migrator.query('DROP INDEX i');
      await migrator.query(`BEGIN; SET LOCAL ops.allow_drop = 'on'; DROP TABLE old; COMMIT`);
      expect(await ask(migrator, `SELECT to_regclass('old')`)).toBeNull();
    });
  });

  it('refuse a superuser the drop, even after SET LOCAL ops.allow_drop', async () => {
    const answer = await runAs(inside(options), (admin) => ask(admin, `SET ops.allow_drop = 'on'; DROP TABLE canary`));
    expect(answer).toContain('cannot be dropped in production; expected the migrator');
  });

  it('refuse other roles the connection', async () => {
    const stranger = createAddresses(cluster, 'stranger', 'production');
    await provision(stranger);
    const address = { ...stranger.app, database: options.app.database };
    await expect(runAs(address, (client) => ask(client, 'SELECT 1'))).rejects.toThrow('permission denied for database');
  });
});

describe('assertIdentity', () => {
  it('reports the environments of caller, configuration and database', async () => {
    const options = next('production');
    const { stamp } = await provision(options);
    const config = { environment: 'staging' as const, database: { app: options.app } };
    const refusal = runAs(options.app, (client) => assertIdentity(client, { expected: 'staging', config }));
    await expect(refusal).rejects.toMatchObject({
      exitCode: 3,
      message:
        `database "${stamp.databaseName}": the database belongs to another environment; expected caller, configuration and database to name the same environment\n` +
        '  caller         staging\n' +
        `  configuration  staging, database "${stamp.databaseName}"\n` +
        `  database       production, "${stamp.databaseName}", on server ${cluster.systemIdentifier}\n` +
        '  airlock config print   # shows where the address comes from; never change the stamp to fit the address',
    });
  });

  it.each([
    ['a renamed database', 'renamed', `ALTER DATABASE :db RENAME TO renamed`],
    ['a cloned database', 'copied', `CREATE DATABASE copied TEMPLATE :db`],
  ])('refuses %s', async (_case, database, sql) => {
    const options = next('preview');
    await provision(options);
    await runAs(options.admin, (admin) => admin.query(sql.replace(':db', options.app.database)));
    const config = { environment: 'preview' as const, database: { app: { database } } };
    const refusal = runAs({ ...options.admin, database }, (client) =>
      assertIdentity(client, { expected: 'preview', config }),
    );
    await expect(refusal).rejects.toThrow(`stamped as "${options.app.database}", but this one is "${database}"`);
  });

  it('refuses a database without a stamp', async () => {
    const config = { environment: 'testing' as const, database: { app: { database: 'postgres' } } };
    const refusal = runAs(cluster.superuser, (client) => assertIdentity(client, { expected: 'testing', config }));
    await expect(refusal).rejects.toThrow('has no stamp');
  });
});

describe('createScramVerifier', () => {
  it('returns the text that the server would store', () => {
    // RFC 7677's example: user "user", password "pencil", this salt, 4096 rounds.
    const verifier = createScramVerifier('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'));
    expect(verifier).toBe(
      'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
    );
  });
});
