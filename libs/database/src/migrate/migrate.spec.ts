import type { Client } from 'pg';
import { describe, expect, it } from '@jest/globals';
import {
  accountMigrations,
  addInterest,
  createAccounts,
  indexBalances,
  noteInterest,
  SHORT_TIMING,
} from './accounts.fixture.js';
import type { MigrationEvent } from './events.js';
import { defineMigration } from '../model/migration.js';
import { loadStatus } from './database-status.js';
import { migrate, type MigrateOptions } from './migrate.js';
import { checkSchema } from './schema-range.js';
import { type ScratchDatabase, useScratchCluster } from './scratch-database.fixture.js';
import { sampleModel } from '../sample/sample-model.js';

const { migrations } = sampleModel;
const cluster = useScratchCluster();

function run(database: ScratchDatabase, options: Partial<MigrateOptions> = {}) {
  return migrate({ config: database.config, migrations: accountMigrations, timing: SHORT_TIMING, ...options });
}

async function select<T>(client: Client, sql: string): Promise<T[]> {
  const { rows } = await client.query<Record<string, T>>(sql);
  return rows.map((row) => Object.values(row)[0] as T);
}

const balance = (client: Client) => select<string>(client, 'SELECT balance FROM public.accounts');
const ledger = (client: Client) => select<string>(client, 'SELECT name FROM ops.migrations ORDER BY name');
const outcomes = (client: Client) => select<string>(client, 'SELECT outcome FROM ops.migration_runs ORDER BY id');

describe('migrate', () => {
  it('migrates an empty database, and then has nothing to do', async () => {
    const database = await cluster.create();
    const head = migrations.at(-1)?.name;
    const first = await run(database, { migrations });
    expect(first).toMatchObject({ head, applied: migrations.map(({ name }) => ({ name })) });
    await expect(run(database, { migrations })).resolves.toMatchObject({ head, applied: [] });
    expect(await checkSchema(await database.connect('app'), migrations)).toEqual({
      state: 'ready',
      isServing: true,
      reasons: [],
    });
  });

  it('adds the heartbeat to a database of an earlier release, whose status it can show before', async () => {
    const database = await cluster.create();
    const { config, superuser } = database;
    await migrate({ config, migrations });
    await superuser.query(`
      DROP TABLE ops.heartbeat;
      ALTER TABLE ops.restorable_backups DROP COLUMN heartbeat_at, DROP COLUMN restore_ms;
      INSERT INTO ops.restorable_backups VALUES ('old', now())`);
    const earlier = await loadStatus({ config, migrations });
    expect(earlier.restorable).toMatchObject({ name: 'old', restoreMs: null });
    await migrate({ config, migrations });
    await superuser.query('UPDATE ops.restorable_backups SET restore_ms = 7');
    expect((await loadStatus({ config, migrations })).restorable).toMatchObject({ name: 'old', restoreMs: 7 });
    const app = await database.connect('app');
    await app.query('UPDATE ops.heartbeat SET at = now()');
    await expect(app.query('DELETE FROM ops.heartbeat')).rejects.toThrow('permission denied');
    expect(await select(superuser, 'SELECT at IS NOT NULL FROM ops.heartbeat')).toEqual([true]);
  });

  it.each([
    ['role of the system', 'ALTER TABLE ops.system_uses RENAME TO system_uses_before'],
    ['rights of the system', 'REVOKE USAGE ON SCHEMA ops FROM airlock_system'],
  ])('changes nothing in a database that was provisioned without the %s, and names the command', async (_, sql) => {
    const database = await cluster.create();
    expect(await loadStatus({ config: database.config, migrations })).toMatchObject({ isProvisioned: true });
    await database.superuser.query(sql);
    expect(await loadStatus({ config: database.config, migrations })).toMatchObject({ isProvisioned: false });
    await expect(run(database)).rejects.toThrow('airlock db provision');
    expect(await select(database.superuser, `SELECT to_regclass('ops.migrations')`)).toEqual([null]);
  });

  it('records each migration, its release and its actor', async () => {
    const database = await cluster.create();
    await run(database, { migrations: [createAccounts], actor: 'deploy-7' });
    const { rows } = await database.superuser.query('SELECT * FROM ops.migrations');
    expect(rows).toEqual([
      {
        name: createAccounts.name,
        sha256: createAccounts.sha256,
        phase: 'expand',
        completes: null,
        applied_at: expect.any(Date),
        duration_ms: expect.any(Number),
        commit: 'c0ffee1',
        image_digest: 'sha256:feed',
        actor: 'deploy-7',
      },
    ]);
    expect(await outcomes(database.superuser)).toEqual(['done']);
  });

  it('gives every object to the owner, and rows but not the schema to the application', async () => {
    const database = await cluster.create();
    await run(database, { migrations: [createAccounts] });
    const owners = await select(database.superuser, `SELECT tableowner FROM pg_tables WHERE tablename = 'accounts'`);
    expect(owners).toEqual([`${database.config.database.app.database}_owner`]);
    const app = await database.connect('app');
    await app.query('UPDATE public.accounts SET balance = balance');
    await expect(app.query('DROP TABLE public.accounts')).rejects.toThrow('must be owner');
    await expect(app.query(`DELETE FROM ops.migrations`)).rejects.toThrow('permission denied');
  });

  it('works once with five concurrent runners, including a concurrent index build', async () => {
    const database = await cluster.create();
    const reports = await Promise.all(Array.from({ length: 5 }, () => run(database)));
    expect(reports.map(({ applied }) => applied.length).sort()).toEqual([0, 0, 0, 0, accountMigrations.length]);
    expect(new Set(reports.map(({ head }) => head))).toEqual(new Set([noteInterest.name]));
    expect(await balance(database.superuser)).toEqual(['110']);
    expect(await ledger(database.superuser)).toEqual(accountMigrations.map(({ name }) => name));
  });

  it('refuses a database that is stamped for another environment, and writes nothing', async () => {
    const database = await cluster.create('staging');
    const attempt = migrate({ config: { ...database.config, environment: 'production' }, migrations });
    await expect(attempt).rejects.toMatchObject({ name: 'IdentityError', exitCode: 3 });
    await expect(run(database, { expected: 'production' })).rejects.toMatchObject({ name: 'IdentityError' });
    expect(await select(database.superuser, `SELECT to_regclass('ops.migrations')`)).toEqual([null]);
  });

  it('refuses a read-only database before it begins', async () => {
    const database = await cluster.create();
    const { database: name } = database.config.database.app;
    await database.superuser.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await expect(run(database)).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(/is read-only, .*; expected the primary\n/),
    });
    await database.superuser.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
  });

  it('keeps earlier migrations, rolls back the failing one, and names the statement', async () => {
    const database = await cluster.create();
    const broken = defineMigration({
      name: '20260105000000-broken',
      phase: 'expand',
      statements: ['CREATE TABLE public.half (id bigint)', 'ALTER TABLE public.absent ADD COLUMN note text'],
    });
    const attempt = run(database, { migrations: [...accountMigrations, broken] });
    await expect(attempt).rejects.toThrow(
      '20260105000000-broken: statement 2 of 2, ALTER TABLE public.absent: relation "public.absent" does not exist (42P01)',
    );
    expect(await ledger(database.superuser)).toEqual(accountMigrations.map(({ name }) => name));
    expect(await select(database.superuser, `SELECT to_regclass('public.half')`)).toEqual([null]);
    expect(await outcomes(database.superuser)).toEqual(['failed']);
  });

  it('fails a data change that row-level security would silently narrow', async () => {
    const database = await cluster.create();
    const touch = defineMigration({
      name: '29990101000000-touch',
      phase: 'expand',
      statements: [`UPDATE public.parcels SET name = 'x'`],
    });
    const attempt = run(database, { migrations: [...migrations, touch] });
    await expect(attempt).rejects.toThrow('query would be affected by row-level security policy');
  });

  it('allows only a contract to drop a column in production', async () => {
    const database = await cluster.create('production');
    const drop = { name: '20260105000000-drop-note', statements: ['ALTER TABLE public.accounts DROP COLUMN note'] };
    const contract = defineMigration({ ...drop, phase: 'contract', completes: noteInterest.name });
    const expand = defineMigration({ ...drop, phase: 'expand' });
    await run(database);
    await expect(run(database, { migrations: [...accountMigrations, expand] })).rejects.toThrow(
      'table column public.accounts.note: cannot be dropped in production',
    );
    await expect(run(database, { migrations: [...accountMigrations, contract] })).resolves.toMatchObject({
      head: contract.name,
    });
  });

  it('refuses an unqualified name: nothing depends on the search path', async () => {
    const database = await cluster.create();
    const bare = defineMigration({ name: '20260101000000-bare', phase: 'expand', statements: ['CREATE TABLE t ()'] });
    await expect(run(database, { migrations: [bare] })).rejects.toThrow('permission denied for schema pg_catalog');
  });

  it('cancels the current statement and rolls back when it is interrupted', async () => {
    const database = await cluster.create();
    await run(database, { migrations: [createAccounts] });
    const blocker = await block(database);
    const controller = new AbortController();
    const onEvent = ({ type }: MigrationEvent) =>
      type === 'started' && void blocker.whenBlocking().then(() => controller.abort());
    const attempt = run(database, {
      signal: controller.signal,
      timing: { ...SHORT_TIMING, lockTimeoutMs: 60_000 },
      onEvent,
    });
    await expect(attempt).rejects.toThrow(/interrupted; 20260102000000-add-interest/);
    await blocker.release();
    expect(await balance(database.superuser)).toEqual(['100']);
    await run(database);
    expect(await balance(database.superuser)).toEqual(['110']);
  });
});

describe('the migration lock', () => {
  it('names its holder while it waits, and continues when that session ends', async () => {
    const database = await cluster.create();
    const holder = await holdLock(database);
    const seen: MigrationEvent[] = [];
    const onEvent = (event: MigrationEvent) => {
      seen.push(event);
      if (event.type === 'waiting') void holder.end();
    };
    await expect(run(database, { onEvent })).resolves.toMatchObject({ head: noteInterest.name });
    expect(seen[0]).toMatchObject({
      type: 'waiting',
      holder: { pid: expect.any(Number), application: expect.stringMatching(/spec/), address: '127.0.0.1' },
    });
  });

  it('times out after its deadline, with the holder in the message', async () => {
    const database = await cluster.create();
    await holdLock(database);
    const attempt = run(database, { timing: { ...SHORT_TIMING, lockWaitMs: 100 } });
    await expect(attempt).rejects.toThrow(/migration lock: held for more than 0\.1 s by pid \d+ \(\S+spec\S* from 127/);
    expect(await select(database.superuser, `SELECT to_regclass('ops.migrations')`)).toEqual([null]);
  });

  it('stops before the next migration when its session is lost; the next run applies the others', async () => {
    const database = await cluster.create();
    const onEvent = (event: MigrationEvent) => {
      if (event.type === 'applied' && event.name === createAccounts.name)
        void terminate(database.superuser, 'migrate-lock');
      if (event.type === 'applied') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    };
    const migrations = [
      createAccounts,
      { ...addInterest, statements: [slow, ...addInterest.statements] },
      noteInterest,
    ];
    await expect(run(database, { onEvent, migrations })).rejects.toThrow('migration lock: its session was lost');
    expect(await ledger(database.superuser)).not.toContain(noteInterest.name);
    await run(database, { migrations });
    expect(await balance(database.superuser)).toEqual(['110']);
  });

  it('prevents duplicate work of a runner that lost it and a second runner', async () => {
    const database = await cluster.create();
    await run(database, { migrations: [createAccounts] });
    const blocker = await block(database);
    const migrations = [createAccounts, addInterest];
    const timing = { ...SHORT_TIMING, lockTimeoutMs: 60_000 };
    const first = run(database, { migrations, timing }).catch((error: unknown) => error);
    await blocker.whenBlocking();
    await terminate(database.superuser, 'migrate-lock');
    const second = run(database, { migrations, timing: { ...SHORT_TIMING, attempts: 50 } });
    await blocker.release();
    await Promise.all([first, second.catch((error: unknown) => error)]);
    expect(await balance(database.superuser)).toEqual(['110']);
    await expect(run(database, { migrations })).resolves.toMatchObject({ applied: [] });
  });
});

describe('a migration whose table is busy', () => {
  /**
   * Blockers are recorded at a heartbeat. Fifty of them leave room for a process that is not always scheduled in time.
   */
  const WATCHED = { ...SHORT_TIMING, lockTimeoutMs: 1_000 };

  it('leaves the queue, names the blocking session, and retries', async () => {
    const database = await cluster.create();
    await run(database, { migrations: [createAccounts] });
    const blocker = await block(database);
    const seen: MigrationEvent[] = [];
    const onEvent = (event: MigrationEvent) => {
      seen.push(event);
      if (event.type === 'retrying') void blocker.release();
    };
    await run(database, { timing: WATCHED, onEvent });
    expect(seen.find(({ type }) => type === 'retrying')).toMatchObject({
      name: addInterest.name,
      reason: 'lock timeout',
      // A plain role sees only the name of another role's session.
      blockers: [{ pid: blocker.pid, application: expect.stringMatching('/spec@'), address: null }],
    });
    expect(await balance(database.superuser)).toEqual(['110']);
  });

  it('fails after its last attempt with the blocker in the message', async () => {
    const database = await cluster.create();
    await run(database, { migrations: [createAccounts] });
    const blocker = await block(database);
    const attempt = run(database, { timing: { ...WATCHED, attempts: 2 } });
    await expect(attempt).rejects.toThrow(
      new RegExp(`canceling statement due to lock timeout.*blocked by: pid ${blocker.pid}`),
    );
    await blocker.release();
  });

  it('does not retry after another error', async () => {
    const database = await cluster.create();
    const migrations = [defineMigration({ name: createAccounts.name, phase: 'expand', statements: ['SELECT 1/0'] })];
    const seen: string[] = [];
    await expect(run(database, { migrations, onEvent: ({ type }) => seen.push(type) })).rejects.toThrow('22012');
    expect(seen).toEqual(['planned', 'started']);
  });
});

describe('an index that is built concurrently', () => {
  const unique = defineMigration({
    name: '20260105000000-unique-balances',
    phase: 'expand',
    transaction: false,
    statements: ['CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS accounts_balance_key ON public.accounts (balance)'],
  });

  it('leaves no invalid index when it fails, and works once the cause is fixed', async () => {
    const database = await cluster.create();
    await run(database, { migrations: [createAccounts] });
    await database.superuser.query('INSERT INTO public.accounts VALUES (2, 100)');
    const migrations = [createAccounts, unique];
    await expect(run(database, { migrations })).rejects.toThrow('could not create unique index');
    expect(await select(database.superuser, `SELECT to_regclass('public.accounts_balance_key')`)).toEqual([null]);
    await database.superuser.query('DELETE FROM public.accounts WHERE id = 2');
    await run(database, { migrations });
    expect(await validity(database.superuser, 'accounts_balance_key')).toEqual([true]);
  });

  it('replaces an invalid index that an earlier attempt left', async () => {
    const database = await cluster.create();
    await run(database, { migrations: [createAccounts, addInterest] });
    await database.superuser.query(`
      CREATE INDEX accounts_balance_idx ON public.accounts (balance);
      UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.accounts_balance_idx'::regclass;
      ALTER INDEX public.accounts_balance_idx OWNER TO ${database.config.database.app.database}_owner`);
    const seen: MigrationEvent[] = [];
    await run(database, { onEvent: (event) => seen.push(event) });
    expect(seen).toContainEqual({
      type: 'dropped-invalid-index',
      name: indexBalances.name,
      index: 'public.accounts_balance_idx',
    });
    expect(await validity(database.superuser, 'accounts_balance_idx')).toEqual([true]);
  });

  it.each([
    ['mixed case', '"accounts_Balance_idx"', '"accounts_Balance_idx"', '"accounts_Balance_idx_ccnew"'],
    ['bare capitals', 'Accounts_BALANCE', 'accounts_balance', 'accounts_balance_ccold1'],
    ['dots, quotes, spaces and dollar signs', '"a.b ""c"" $1"', '"a.b ""c"" $1"', '"a.b ""c"" $1_ccnew"'],
    ['capitals that PostgreSQL does not fold', 'ÄPFEL_Idx', '"Äpfel_idx"', '"Äpfel_idx_ccnew"'],
    ['more than 63 bytes', `"${'Name '.repeat(14)}"`, `"${'Name '.repeat(12)}Nam"`, `"${'Name '.repeat(11)}Na_ccnew"`],
  ])('replaces an invalid index with %s in its name, and the copy of an earlier REINDEX', async (...names) => {
    const [, written, stored, copy] = names;
    const database = await cluster.create();
    await run(database, { migrations: [createAccounts] });
    for (const name of [stored, copy])
      await database.superuser.query(`
        CREATE INDEX ${name} ON public.accounts (balance);
        ALTER INDEX public.${name} OWNER TO ${database.config.database.app.database}_owner`);
    await database.superuser.query(`UPDATE pg_index SET indisvalid = false
      WHERE indrelid = 'public.accounts'::regclass AND NOT indisprimary`);
    const build = defineMigration({
      name: indexBalances.name,
      phase: 'expand',
      transaction: false,
      statements: [`CREATE INDEX CONCURRENTLY IF NOT EXISTS ${written} ON public.accounts (balance)`],
    });
    await run(database, { migrations: [createAccounts, build] });
    const left = `SELECT indexrelid::regclass::text FROM pg_index
      WHERE indrelid = 'public.accounts'::regclass AND NOT indisprimary AND indisvalid`;
    expect(await select(database.superuser, left)).toEqual([stored]);
  });
});

describe('an extension', () => {
  const createCitext = (sql: string) =>
    defineMigration({ name: '20260101000000-create-citext', phase: 'expand', statements: [sql] });

  it.each([
    ['citext', 'CREATE EXTENSION IF NOT EXISTS citext SCHEMA public', 'extension citext is in schema pg_catalog'],
    ['"uuid-ossp"', 'create extension if not exists "uuid-ossp" with schema "public"', 'is in schema pg_catalog'],
  ])('that an administrator created in another schema stops the run: %s', async (name, sql, said) => {
    const database = await cluster.create();
    await database.superuser.query(`CREATE EXTENSION ${name} SCHEMA pg_catalog`);
    await expect(run(database, { migrations: [createCitext(sql)] })).rejects.toThrow(said);
    expect(await ledger(database.superuser)).toEqual([]);
  });

  it('that is already in its schema is accepted, and so is a new one', async () => {
    const [made, fresh] = [await cluster.create(), await cluster.create()];
    await made.superuser.query('CREATE EXTENSION citext SCHEMA public');
    for (const database of [made, fresh])
      await run(database, { migrations: [createCitext('CREATE EXTENSION IF NOT EXISTS citext SCHEMA public')] });
    expect(await ledger(fresh.superuser)).toEqual(['20260101000000-create-citext']);
  });
});

const slow = { sql: 'SELECT pg_sleep(0.1)' };

function validity(client: Client, index: string): Promise<boolean[]> {
  return select<boolean>(client, `SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.${index}'::regclass`);
}

/** A session of the migrator role that takes the lock and keeps it. */
async function holdLock(database: ScratchDatabase): Promise<Client> {
  const holder = await database.connect('migration');
  await holder.query('SELECT pg_advisory_lock($1, $2)', [0x6169726c, 0x6f636b]);
  return holder;
}

/** A transaction that locks the accounts table. */
async function block(database: ScratchDatabase) {
  const app = await database.connect('app');
  await app.query('BEGIN');
  await app.query('SELECT * FROM public.accounts FOR UPDATE');
  const [pid = 0] = await select<number>(app, 'SELECT pg_backend_pid()');
  return {
    pid,
    release: () => app.query('ROLLBACK'),
    async whenBlocking() {
      const sql = `SELECT pid FROM pg_stat_activity WHERE ${pid} = ANY (pg_blocking_pids(pid))`;
      while ((await select(database.superuser, sql)).length === 0);
    },
  };
}

async function terminate(superuser: Client, purpose: string): Promise<void> {
  await superuser.query(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE '%/' || $1 || '@%'`,
    [purpose],
  );
}
