import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Secret } from '@airlock/config';
import { skipUnless } from '@airlock/config/testing';
import { runAs } from '@airlock/database/fixtures';
import { loadStatus, provision } from '@airlock/database/operations';
import { createSessionConfig, readStamp, withClient } from '@airlock/database/sessions';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { createWorld, type World } from './backup-world.fixture.js';
import { createToolFolder, findClientTools } from './client-tools.fixture.js';
import { BackupStore, createBackup, loadPast, restoreBackup, restoreDrill } from './index.js';
import { withRestored } from './restored-database.js';

const tools = findClientTools();
const describeWithTools = skipUnless(tools !== undefined, describe, 'no pg_dump 18, and no image to take it from');

describeWithTools('backups', () => {
  let cluster: Cluster;
  let world: World;
  beforeAll(async () => void (cluster = await startScratchCluster()));
  afterAll(() => cluster.stop());
  beforeEach(async () => void (world = await createWorld(cluster, { tools })));
  afterEach(() => world.close());

  const listDatabases = async () => {
    const rows = await world.sql<{ name: string }>('SELECT datname::text AS name FROM pg_database ORDER BY 1');
    return rows.map(({ name }) => name);
  };
  const copyName = () => `${world.options.app.database}_restored`;
  const store = () => new BackupStore(world.options.storage, world.options.environment);
  const proved = () => world.sql('SELECT name FROM ops.restorable_backups');

  /** Runs with scripts in place of some tools. */
  const withTools = async <T>(
    scripts: Partial<Record<'pg_dump' | 'pg_restore', string>>,
    use: (options: World['options']) => Promise<T>,
  ) => {
    const folder = createToolFolder();
    try {
      for (const name of ['pg_dump', 'pg_restore'] as const) {
        const text = scripts[name] ?? `exec "${tools}/${name}" "$@"`;
        await writeFile(join(folder, name), `#!/bin/sh\n${text}\n`);
        await chmod(join(folder, name), 0o755);
      }
      return await use({ ...world.options, tools: folder });
    } finally {
      await rm(folder, { recursive: true });
    }
  };

  describe('a backup', () => {
    it('has the rows of one snapshot, and is restored beside the original', async () => {
      const { backup } = await createBackup(world.options);
      const { rows } = backup.contents;
      expect([backup.environment, backup.doubts, rows['public.parcels']]).toEqual(['production', [], 300]);
      await world.sql('DELETE FROM public.parcels WHERE ctid IN (SELECT ctid FROM public.parcels LIMIT 10)');
      await restoreBackup(world.options, { name: backup.name, as: copyName() });
      expect(await world.sql('SELECT count(*)::int AS n FROM public.parcels', copyName())).toEqual([{ n: 300 }]);
    });

    it('is refused for a role that a policy hides rows from, before anything is stored', async () => {
      const limited = { ...world.options, admin: world.options.app };
      await expect(createBackup(limited)).rejects.toMatchObject({ problem: 'missing-rights', exitCode: 3 });
      expect(await world.files()).toEqual([]);
    });

    it('is refused for a database of another environment', async () => {
      await expect(createBackup({ ...world.options, environment: 'staging' })).rejects.toThrow(
        'the database belongs to another environment',
      );
      expect(await world.files()).toEqual([]);
    });

    it('is refused without a migration', async () => {
      await world.sql('TRUNCATE ops.migrations CASCADE');
      await expect(createBackup(world.options)).rejects.toMatchObject({ problem: 'empty-database' });
      expect(await world.files()).toEqual([]);
    });

    it('is refused while another one runs', async () => {
      const { admin, app } = world.options;
      const context = { config: createSessionConfig('production'), purpose: 'spec' };
      await withClient({ ...admin, database: app.database }, context, async (client) => {
        await client.query(`SELECT pg_advisory_lock(hashtextextended('airlock/backup', 0))`);
        await expect(createBackup(world.options)).rejects.toMatchObject({ problem: 'busy' });
      });
    });

    it('has a doubt if a table has lost most of its rows, and displaces no good one', async () => {
      const { backup: good } = await createBackup({ ...world.options, keep: 1 });
      await world.sql('DELETE FROM public.parcels WHERE ctid IN (SELECT ctid FROM public.parcels LIMIT 200)');
      const { backup, removed } = await createBackup({ ...world.options, keep: 1 });
      expect([backup.doubts, removed]).toEqual([['public.parcels: has 100 rows, and had 300'], []]);
      expect(await createBackup({ ...world.options, keep: 1 })).toMatchObject({
        backup: { doubts: [] },
        removed: [backup.name, good.name],
      });
    });

    it('stays beyond the number to keep while it is the newest that was proved', async () => {
      const { backup: first } = await createBackup({ ...world.options, keep: 1 });
      await restoreDrill(world.options);
      expect((await createBackup({ ...world.options, keep: 1 })).removed).toEqual([]);
      await restoreDrill(world.options);
      expect((await createBackup({ ...world.options, keep: 1 })).removed).toEqual([first.name]);
    });

    it('takes longer than the limits of the database for a transaction', async () => {
      const { database } = world.options.app;
      for (const limit of ['transaction_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout'])
        await world.sql(`ALTER DATABASE ${database} SET ${limit} = '300ms'`);
      const slow = `if [ "$1" = --version ]; then exec "${tools}/pg_dump" "$@"; fi; sleep 1; exec "${tools}/pg_dump" "$@"`;
      expect(await withTools({ pg_dump: slow }, createBackup)).toMatchObject({ backup: { doubts: [] } });
    });

    it('is refused before anything is stored if a recipient is not a whole key', async () => {
      const recipient = (await identityToRecipient(await generateX25519Identity())).replace(/..$/, 'qq');
      await expect(createBackup({ ...world.options, recipients: [recipient] })).rejects.toMatchObject({
        problem: 'no-key',
        exitCode: 3,
      });
      expect(await world.files()).toEqual([]);
    });

    it('follows one whose manifest is damaged', async () => {
      await createBackup(world.options);
      await world.change('manifest.json', (bytes) => bytes.subarray(1));
      const { backup } = await createBackup(world.options);
      expect((await store().list())[0]).toBe(backup.name);
    });

    it('removes what a killed one left', async () => {
      await store().start('20260101t000000000z-0badc0de');
      await writeFile(join(world.folder, 'production~20260101t000000000z-0badc0de~dump.part'), 'unfinished');
      expect(await store().list()).toEqual([]);
      const { backup } = await createBackup(world.options);
      expect(await world.files()).toEqual([
        `production~${backup.name}~dump`,
        `production~${backup.name}~manifest.json`,
      ]);
    });
  });

  describe('a tool', () => {
    const withDump = (script: string, signal?: AbortSignal) =>
      withTools({ pg_dump: script }, (options) =>
        createBackup({ ...options, signal }).catch((error: unknown) => error),
      );
    const version = (number: number) =>
      `if [ "$1" = --version ]; then echo "pg_dump (PostgreSQL) ${number}.1"; exit; fi`;

    it.each([
      ['is of another major version', version(15), 'wrong-tools: pg_dump: is version 15.1, and the server 18'],
      [
        'fails at its end',
        `${version(18)}\n"${tools}/pg_dump" "$@"; exit 1`,
        'dump-failed: pg_dump: it ended with exit code 1',
      ],
      [
        'is killed',
        `${version(18)}\n"${tools}/pg_dump" "$@" | head -c 2000; kill -9 $$`,
        'dump-failed: pg_dump: it ended with SIGKILL',
      ],
      ['writes nothing', version(18), 'incomplete-dump: pg_restore --list: cannot read the dump'],
      [
        'leaves out a table',
        `${version(18)}\nexec "${tools}/pg_dump" "$@" --exclude-table-data=public.parcels`,
        'incomplete-dump: the dump has no data of public.parcels (1 tables)',
      ],
      [
        'reads another database',
        `${version(18)}\nPGDATABASE=postgres exec "${tools}/pg_dump" "$@"`,
        'cannot import a snapshot from a different database',
      ],
    ])('that %s leaves nothing', async (_, script, message) => {
      expect(String(await withDump(script))).toContain(message);
      expect(await world.files()).toEqual([]);
    });

    it('that is interrupted leaves nothing', async () => {
      const control = new AbortController();
      setTimeout(() => control.abort(new Error('interrupted')), 1_000);
      const script = `${version(18)}\n"${tools}/pg_dump" "$@" | head -c 2000; exec sleep 600`;
      expect(await withDump(script, control.signal)).toBeInstanceOf(Error);
      expect(await world.files()).toEqual([]);
    });

    it('that is missing is refused by name', async () => {
      const without = { ...world.options, tools: '/nonexistent' };
      await expect(createBackup(without)).rejects.toMatchObject({ problem: 'wrong-tools', exitCode: 3 });
    });
  });

  describe('a restored database', () => {
    it('keeps the stamp of the original until it is adopted by its full name', async () => {
      await createBackup(world.options);
      await restoreBackup(world.options, { name: 'latest', as: copyName() });
      const { admin, app } = world.options;
      const context = { config: createSessionConfig('production'), purpose: 'spec' };
      const stamp = await withClient({ ...admin, database: copyName() }, context, readStamp);
      expect([stamp?.environment, stamp?.databaseName]).toEqual(['production', app.database]);
      const copy = { ...app, database: copyName() };
      const adoption = { ...world.options, app: copy, migration: { ...copy, user: `${app.database}_migrator` } };
      await expect(provision(adoption)).rejects.toThrow('it was renamed, cloned or restored');
      expect((await provision({ ...adoption, adopt: copyName() })).stamp.databaseName).toBe(copyName());
    });

    it('is not open to roles that could connect to any database', async () => {
      await createBackup(world.options);
      await world.sql(`DROP ROLE IF EXISTS passer; CREATE ROLE passer LOGIN PASSWORD 'passer-secret'`);
      await restoreBackup(world.options, { name: 'latest', as: copyName() });
      const passer = {
        ...world.options.app,
        user: 'passer',
        password: new Secret('passer-secret'),
        database: copyName(),
      };
      await expect(runAs(passer, () => Promise.resolve())).rejects.toThrow('permission denied');
    });

    it('never replaces a database, not even an empty one', async () => {
      await createBackup(world.options);
      await world.sql(`CREATE DATABASE ${copyName()}`);
      for (const name of [world.options.app.database, copyName(), 'postgres', 'Other', 'a=b'])
        await expect(restoreBackup(world.options, { name: 'latest', as: name })).rejects.toMatchObject({
          problem: 'existing-database',
          exitCode: 3,
        });
      expect(await world.sql('SELECT count(*)::int AS n FROM public.parcels')).toEqual([{ n: 300 }]);
    });

    it('has its name only when it is complete, and is dropped when it is interrupted', async () => {
      await createBackup(world.options);
      const before = await listDatabases();
      const control = new AbortController();
      const stuck = `case "$*" in *--dbname*) exec sleep 600;; esac; exec "${tools}/pg_restore" "$@"`;
      const attempt = withTools({ pg_restore: stuck }, (options) =>
        restoreBackup({ ...options, signal: control.signal }, { name: 'latest', as: copyName() }),
      ).catch((error: unknown) => error);
      const begun = async (): Promise<string[]> => {
        const names = (await listDatabases()).filter((name) => !before.includes(name));
        return names.length > 0 ? names : begun();
      };
      const begunNames = await begun();
      expect(begunNames).toEqual([expect.stringMatching(/^airlock_restore_/)]);
      await restoreDrill(world.options);
      expect(await begun()).toEqual(begunNames);
      control.abort(new Error('interrupted'));
      expect(await attempt).toBeInstanceOf(Error);
      expect(await listDatabases()).toEqual(before);
    });

    it('fails with the reason of the server for a full disk', async () => {
      await createBackup(world.options);
      const reason = 'ERROR:  could not extend file "base/1/2": No space left on device';
      const full = `case "$*" in *--dbname*) echo 'pg_restore: error: COPY failed for table "t": ${reason}' >&2; exit 1;; esac; exec "${tools}/pg_restore" "$@"`;
      const attempt = withTools({ pg_restore: full }, (options) => restoreDrill(options));
      await expect(attempt).rejects.toMatchObject({
        problem: 'restore-failed',
        message: expect.stringContaining(reason),
      });
    });

    it('gets its name once, of two restores at once', async () => {
      await createBackup(world.options);
      const before = await listDatabases();
      const restore = () => restoreBackup(world.options, { name: 'latest', as: copyName() });
      const [first, second] = await Promise.allSettled([restore(), restore()]);
      const failed = [first, second].flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
      expect(failed).toEqual([expect.objectContaining({ problem: 'existing-database', exitCode: 3 })]);
      expect(await listDatabases()).toEqual([...before, copyName()].sort());
    });

    it.each([
      ['in a column', `CHECK (current_database() NOT LIKE 'airlock_restore%' OR text::int > 0)`, ''],
      ['in an index', '', `CREATE INDEX ON public.notes (public.parse(text))`],
    ])('that fails shows no value of a row %s', async (_, check, index) => {
      await world.sql(`CREATE FUNCTION public.parse(text) RETURNS int IMMUTABLE LANGUAGE plpgsql
        AS $$ BEGIN RETURN CASE WHEN current_database() LIKE 'airlock_restore%' THEN $1::int ELSE 0 END; END $$`);
      await world.sql(
        `CREATE TABLE public.notes (text text ${check}); INSERT INTO public.notes VALUES ('canary'); ${index}`,
      );
      await createBackup(world.options);
      const error = await restoreDrill(world.options).catch((caught: unknown) => caught);
      expect(error).toMatchObject({
        problem: 'restore-failed',
        message: expect.stringContaining('because it may quote'),
      });
      expect(inspect(error, { depth: 9 })).not.toContain('canary');
    });

    it('has every role that the original needs, on a server without them', async () => {
      await createBackup(world.options);
      const other = await startScratchCluster();
      try {
        const moved = { ...world.options, admin: other.superuser };
        const { database } = await restoreBackup(moved, { name: 'latest', as: copyName() });
        const context = { config: createSessionConfig('production'), purpose: 'spec' };
        await withClient({ ...other.superuser, database }, context, async (client) => {
          const { rows } = await client.query(
            `SELECT rolname::text AS name, rolcanlogin FROM pg_roles WHERE rolname !~ '^(pg_|postgres)' ORDER BY 1`,
          );
          const names = [
            'airlock_system',
            ...['app', 'migrator', 'owner'].map((role) => `${world.options.app.database}_${role}`),
          ];
          expect(rows).toEqual(names.map((name) => ({ name, rolcanlogin: false })));
        });
      } finally {
        await other.stop();
      }
    });

    it.each(['20260101t000000000z-0badc0de', '../x', 'latest'])(
      'is refused for %s, which is not a backup',
      async (name) => {
        await expect(restoreBackup(world.options, { name, as: copyName() })).rejects.toMatchObject({
          problem: 'no-backup',
        });
      },
    );

    it('is refused for a backup that a later release has migrated', async () => {
      await createBackup(world.options);
      const before = { ...world.options, migrations: [] };
      await expect(restoreBackup(before, { name: 'latest', as: copyName() })).rejects.toMatchObject({
        problem: 'unknown-migrations',
      });
    });
  });

  describe('a drill', () => {
    it('proves the newest backup in a database that it drops, and records it', async () => {
      const { backup } = await createBackup(world.options);
      const before = await listDatabases();
      const { recoveryTimeMs } = await restoreDrill(world.options);
      expect(await listDatabases()).toEqual(before);
      expect(await proved()).toEqual([{ name: backup.name }]);
      const { migrations } = world.options;
      const { restorable } = await loadStatus({ config: world.config, migrations });
      expect(restorable?.name).toBe(backup.name);
      expect(restorable?.restoreMs).toBe(recoveryTimeMs);
      const past = await loadPast(world.options);
      expect(past.takenAt).toEqual(new Date(backup.takenAt));
      expect(past.provedAt).toEqual(restorable?.provedAt);
    });

    it('tells and records which moment a restore would bring back, and how long it takes', async () => {
      await createBackup(world.options);
      expect(await restoreDrill(world.options)).toMatchObject({ heartbeatAt: null, recoveryPointMs: null });
      await world.sql(`UPDATE ops.heartbeat SET at = now() - interval '1 hour'`);
      await createBackup(world.options);
      const { heartbeatAt, recoveryPointMs, recoveryTimeMs } = await restoreDrill(world.options);
      expect(await world.sql('SELECT at AS "heartbeatAt" FROM ops.heartbeat')).toEqual([{ heartbeatAt }]);
      expect(recoveryPointMs).toBeGreaterThanOrEqual(3_600_000 + recoveryTimeMs);
      expect(
        await world.sql(
          'SELECT heartbeat_at, restore_ms::int FROM ops.restorable_backups ORDER BY taken_at DESC LIMIT 1',
        ),
      ).toEqual([{ heartbeat_at: heartbeatAt, restore_ms: recoveryTimeMs }]);
    });

    it('is not proved by a copy that the application cannot use, which it asks with its own login', async () => {
      const { backup } = await createBackup(world.options);
      const before = await listDatabases();
      const asked: string[] = [];
      const ask: World['options']['ask'] = async (copy) => {
        const rows = await runAs(copy, (client) =>
          client.query<{ name: string }>('SELECT current_user || $$ in $$ || current_database() AS name'),
        );
        asked.push(rows.rows[0]!.name);
        return ['a user reads public.parcels: failed (42501)'];
      };
      await expect(restoreDrill({ ...world.options, ask })).rejects.toMatchObject({
        ...{ problem: 'cannot-serve', exitCode: 1 },
        message: expect.stringContaining(`${backup.name}: the application cannot use the restored database`) as unknown,
      });
      expect(asked).toEqual([expect.stringMatching(`^${world.options.app.user} in airlock_restore_[0-9a-f]{12}$`)]);
      expect(await listDatabases()).toEqual(before);
      expect(await proved()).toEqual([]);
    });

    it('does not ask a backup that lacks migrations of this release, and says so', async () => {
      await createBackup(world.options);
      const migrations = [...world.options.migrations, { name: '20991128000000-later' }];
      const ask = () => Promise.reject(new Error('was asked'));
      expect(await restoreDrill({ ...world.options, migrations, ask })).toMatchObject({ pending: 1 });
      expect(await proved()).toHaveLength(1);
    });

    const flip = (at: (bytes: Buffer) => number) => (bytes: Buffer) => {
      const changed = Buffer.from(bytes);
      const index = at(changed);
      changed[index] = changed[index]! ^ 1;
      return changed;
    };
    it.each([
      ['the first byte of the dump flipped', '~dump', flip(() => 0), 'damaged'],
      ['a byte in the middle of the dump flipped', '~dump', flip((bytes) => bytes.length >> 1), 'damaged'],
      ['the last byte of the dump flipped', '~dump', flip((bytes) => bytes.length - 1), 'damaged'],
      ['the dump cut', '~dump', (bytes: Buffer) => bytes.subarray(0, -100), 'truncated-dump'],
      ['an empty dump', '~dump', () => Buffer.alloc(0), 'truncated-dump'],
      ['a byte behind the dump', '~dump', (bytes: Buffer) => Buffer.concat([bytes, bytes.subarray(0, 1)]), 'damaged'],
      ['a byte of the manifest flipped', 'manifest.json', flip(() => 0), 'damaged-manifest'],
      [
        'another number of rows in the manifest',
        'manifest.json',
        (bytes: Buffer) => Buffer.from(bytes.toString().replace('"public.parcels": 300', '"public.parcels": 301')),
        'differs',
      ],
      [
        'another environment in the manifest',
        'manifest.json',
        (bytes: Buffer) => Buffer.from(bytes.toString().replace('"production"', '"staging"')),
        'other-environment',
      ],
    ])('catches %s, by its name, and leaves no database and no record', async (_, ending, edit, problem) => {
      await createBackup(world.options);
      const before = await listDatabases();
      await world.change(ending, edit);
      await expect(restoreDrill(world.options)).rejects.toMatchObject({ problem });
      expect([await listDatabases(), await proved()]).toEqual([before, []]);
    });

    it.each([
      ['verifies', 1],
      ['loads', 3],
    ])('names the storage that it loses while it %s the dump', async (_, reading) => {
      // More than one chunk.
      await world.sql(
        `INSERT INTO public.parcels (owner_id, name) SELECT 'u', md5(random()::text) FROM generate_series(1, 9000)`,
      );
      await createBackup(world.options);
      const before = await listDatabases();
      let readings = 0;
      const { storage } = world.options;
      const lost = Object.assign(Object.create(storage) as typeof storage, {
        async get(name: string) {
          const content = await storage.get(name);
          if (name.endsWith('/dump') && (readings += 1) === reading)
            content.once('data', () => content.destroy(new Error('connection reset')));
          return content;
        },
        list: storage.list.bind(storage),
      });
      await expect(restoreDrill({ ...world.options, storage: lost })).rejects.toMatchObject({
        problem: 'lost-storage',
        message: expect.stringContaining('was read: connection reset'),
      });
      expect(await listDatabases()).toEqual(before);
    });

    it('drops the databases that killed drills left, and no other with such a name', async () => {
      await createBackup(world.options);
      const [left, foreign] = ['airlock_restore_0123456789ab', 'airlock_restore_ba9876543210'];
      await world.sql(`CREATE DATABASE ${left}`);
      await world.sql(`COMMENT ON DATABASE ${left} IS 'airlock: an unfinished restore; dropped by the next one'`);
      await world.sql(`CREATE DATABASE ${foreign}`);
      await restoreDrill(world.options);
      const names = await listDatabases();
      await world.sql(`DROP DATABASE ${foreign}`);
      expect([names.includes(left), names.includes(foreign)]).toEqual([false, true]);
    });

    it('gives a throw-away copy to a caller, and drops it when the caller fails', async () => {
      const { backup } = await createBackup(world.options);
      const before = await listDatabases();
      const attempt = withRestored(world.options, { backup }, async ({ address }) => {
        expect(await world.sql('SELECT count(*)::int AS n FROM public.parcels', address.database)).toEqual([
          { n: 300 },
        ]);
        throw new Error('the caller failed');
      });
      await expect(attempt).rejects.toThrow('the caller failed');
      expect(await listDatabases()).toEqual(before);
    });
  });

  it('an encrypted backup holds no row in clear text, and only its identity opens it', async () => {
    const [identity, other] = await Promise.all([generateX25519Identity(), generateX25519Identity()]);
    const encrypted = { ...world.options, recipients: [await identityToRecipient(identity)] };
    const { backup } = await createBackup(encrypted);
    let header = '';
    await world.change('~dump', (bytes) => {
      header = bytes.toString('latin1');
      return bytes;
    });
    expect([backup.isEncrypted, header.slice(0, 21), header.includes('PGDMP')]).toEqual([
      true,
      'age-encryption.org/v1',
      false,
    ]);
    await expect(restoreDrill(encrypted)).rejects.toMatchObject({ problem: 'no-key' });
    for (const wrong of [other, 'AGE-SECRET-KEY-1', identity.replace(/..$/, 'QQ')]) {
      const error = await restoreDrill({ ...encrypted, identity: new Secret(wrong) }).catch(
        (caught: unknown) => caught,
      );
      expect(error).toMatchObject({ problem: 'no-key', exitCode: 3 });
      expect(inspect(error, { depth: 9 })).not.toContain(wrong);
    }
    expect((await restoreDrill({ ...encrypted, identity: new Secret(identity) })).backup.name).toBe(backup.name);
  });
});
