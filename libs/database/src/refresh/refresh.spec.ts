import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Environment } from '@airlock/config';
import { connectClient } from '../connect/client.js';
import { createSessionConfig } from '../connect/client-options.js';
import { findDrift } from '../drift/drift.js';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { assertIdentity } from '../identity/assert-identity.js';
import { migrate } from '../migrate/migrate.js';
import { ask, createAddresses, runAs } from '../provision/provision.fixture.js';
import { provision, type ProvisionOptions } from '../provision/provision.js';
import { listTableRules } from './table-rules.js';
import { CANARIES, createConfig, createCopy, createSource, inside, nextName, type Scene } from './refresh.fixture.js';
import { refresh, UnfinishedRefreshError } from './refresh.js';
import { findUnfitColumns } from './unfit-columns.js';
import { sampleModel } from '../sample/sample-model.js';

const { columns } = sampleModel;
let cluster: Cluster;
/** Copied and not changed: each test works with its own copy. */
let original: ProvisionOptions;

beforeAll(async () => {
  cluster = await startScratchCluster();
  original = await createSource(cluster);
}, 60_000);
afterAll(() => cluster.stop());

describe('refresh', () => {
  it('turns a copy of production into a staging database without any user data', async () => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: original });
    const report = await refresh({ ...sampleModel, ...target, copy });
    expect(report).toMatchObject({ database: copy, from: { environment: 'production' }, replaced: { parcels: 40 } });
    expect(report.stamp).toMatchObject({ environment: 'staging', databaseName: copy });
    await runAs(inside(target), async (client) => {
      expect(await ask(client, `SELECT count(DISTINCT (owner_id, name))::int FROM parcels`)).toBe(40);
      expect(
        await ask(client, `SELECT count(DISTINCT owner_id)::int FROM parcels WHERE owner_id ~ '^user_[0-9a-f]{20}$'`),
      ).toBe(2);
      expect(await ask(client, `SELECT bool_and(attributes = '{}')::text FROM parcels`)).toBe('true');
      expect(
        await ask(client, `SELECT count(*)::int FROM pg_stats WHERE most_common_vals::text ILIKE '%canary%'`),
      ).toBe(0);
    });
    expect(await findCanariesOf(target)).toEqual([]);
  });

  it('does not change the original, and gives two copies different pseudonyms', async () => {
    const [first, second] = [
      await createCopy(cluster, { environment: 'staging', of: original }),
      await createCopy(cluster, { environment: 'preview', of: original }),
    ];
    await refresh({ ...sampleModel, ...first.target, copy: first.copy });
    await refresh({ ...sampleModel, ...second.target, copy: second.copy });
    const owners = (options: ProvisionOptions) =>
      runAs(inside(options), (client) => ask(client, 'SELECT array_agg(DISTINCT owner_id) FROM parcels'));
    expect(await owners(first.source)).toContain(CANARIES[0]);
    expect(await owners(first.target)).not.toEqual(await owners(second.target));
  });

  it.each(['staging', 'preview', 'development'] as const)(
    'creates a database that %s can migrate, serve and own',
    async (environment) => {
      const { target, copy } = await createCopy(cluster, { environment, of: original });
      await refresh({ ...sampleModel, ...target, copy });
      const config = createConfig(target);
      expect((await migrate({ config, ...sampleModel, expected: environment })).applied).toEqual([]);
      expect(await findDrift({ config, ...sampleModel })).toEqual({ missing: [], unexpected: [] });
      await runAs(target.migration, async (client) => {
        await client.query(`SET ROLE ${copy}_owner`);
        await client.query('ALTER TABLE public.parcels ADD COLUMN later text');
        await client.query(`SET ops.allow_drop = 'on'`);
        await client.query('ALTER TABLE public.parcels DROP COLUMN later');
      });
      await runAs(target.app, async (client) => {
        await client.query(`SET app.user_id = 'user_new'`);
        expect(
          await ask(client, `INSERT INTO parcels (owner_id, name) VALUES ('user_new', 'x') RETURNING version`),
        ).toBe(1);
        await expect(assertIdentity(client, { expected: environment, config })).resolves.toMatchObject({ environment });
      });
      const refusesDrops = (client: Parameters<typeof ask>[0]) =>
        ask(client, 'SELECT count(*)::int FROM pg_event_trigger');
      expect(await runAs(inside(target), refusesDrops)).toBe(environment === 'staging' ? 1 : 0);
    },
  );

  it('gives both sides of a foreign key the same pseudonym, and leaves the key as it was', async () => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: original });
    const read = `SELECT jsonb_agg(pg_get_constraintdef(oid) ORDER BY conname) FROM pg_constraint WHERE conname ~ '^(b|p)ox'`;
    const before = await runAs(inside(target), async (client) => {
      await client.query(`
        CREATE TABLE boxes (id int, owner_id text, inside int, CONSTRAINT box_key PRIMARY KEY (owner_id, id),
          CONSTRAINT box_inside FOREIGN KEY (owner_id, inside) REFERENCES boxes (owner_id, id));
        CREATE TABLE a_pox (box int, owner_id text, CONSTRAINT pox_box FOREIGN KEY (owner_id, box)
          REFERENCES boxes (owner_id, id) ON DELETE CASCADE DEFERRABLE);
        CREATE TABLE z_pox (box int, owner_id text, CONSTRAINT pox_box_too FOREIGN KEY (owner_id, box) REFERENCES boxes (owner_id, id));
        INSERT INTO boxes SELECT n, '${CANARIES[0]} ' || n % 3, CASE WHEN n > 3 THEN n - 3 END FROM generate_series(1, 9) n;
        INSERT INTO a_pox SELECT id, owner_id FROM boxes; INSERT INTO z_pox SELECT id, owner_id FROM boxes`);
      return ask(client, read);
    });
    const owner_id = { pseudonym: 'user_' };
    const tables = { boxes: { id: 'keep', owner_id, inside: 'keep' } } as const;
    const pox = { box: 'keep', owner_id } as const;
    await refresh({ ...sampleModel, ...target, copy, columns: { ...columns, ...tables, a_pox: pox, z_pox: pox } });
    await runAs(inside(target), async (client) => {
      expect(await ask(client, read)).toEqual(before);
      const joined = `SELECT count(*)::int FROM boxes JOIN a_pox USING (owner_id) JOIN z_pox USING (owner_id)
        WHERE boxes.id = a_pox.box AND boxes.id = z_pox.box AND owner_id ~ '^user_[0-9a-f]{20}$'`;
      expect(await ask(client, joined)).toBe(9);
    });
    expect(await findCanariesOf(target)).toEqual([]);
  });

  it('accepts a copy from before this environment existed', async () => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: original });
    await runAs(inside(target), (admin) =>
      admin.query(`DROP EVENT TRIGGER IF EXISTS airlock_refuse_drop;
        ALTER TABLE ops.environment DROP CONSTRAINT environment_environment_check,
          ADD CONSTRAINT environment_environment_check CHECK (environment IN ('testing', 'production'))`),
    );
    await expect(refresh({ ...sampleModel, ...target, copy })).resolves.toMatchObject({
      stamp: { environment: 'staging' },
    });
  });

  it.each<[string, (scene: Scene) => Partial<Parameters<typeof refresh>[0]>, RegExp]>([
    [
      'the original itself',
      ({ source }) => ({ ...source, environment: 'staging', copy: source.app.database }),
      /it is not a copy: it is an original production database/,
    ],
    ['a name that is not typed in full', () => ({ copy: 'yes' }), /the caller names "yes"/],
    ['a copy for testing', () => ({ environment: 'testing' }), /never testing/],
    ['a copy for production', () => ({ environment: 'production' }), /never production/],
  ])('refuses %s', async (_, change, said) => {
    const scene = await createCopy(cluster, { environment: 'staging', of: original });
    const { target, copy } = scene;
    await expect(refresh({ ...sampleModel, ...target, copy, ...change(scene) })).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(said),
    });
    expect(await runAs(inside(target), (client) => ask(client, 'SELECT min(name) FROM parcels'))).toMatch(
      /^cAnArYname/,
    );
  });

  it('refuses a copy that another session uses, and one without a stamp', async () => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: original });
    await runAs(inside(target), async (client) => {
      await expect(refresh({ ...sampleModel, ...target, copy })).rejects.toThrow(
        /process \d+ \(.*spec.*\) is connected/,
      );
      await client.query('DROP EVENT TRIGGER airlock_refuse_drop; DROP TABLE ops.environment');
    });
    await expect(refresh({ ...sampleModel, ...target, copy })).rejects.toThrow('it has no stamp');
  });

  it('leaves the copy unchanged when it fails halfway', async () => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: original });
    const rules = { ...columns, parcels: { ...columns['parcels'], attributes: { value: `'[]'` } } };
    await expect(refresh({ ...sampleModel, ...target, copy, columns: rules })).rejects.toThrow(
      'parcels_attributes_object',
    );
    expect(await runAs(inside(target), (client) => ask(client, 'SELECT min(name) FROM parcels'))).toMatch(
      /^cAnArYname/,
    );
    expect((await refresh({ ...sampleModel, ...target, copy })).stamp.environment).toBe('staging');
  });

  it('removes values in dropped columns, in statistics of an emptied table and in the journal of migrations', async () => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: original });
    await runAs(inside(target), async (client) => {
      await client.query(`SET ops.allow_drop = 'on'; ALTER TABLE parcels ADD COLUMN phone text`);
      await client.query(`UPDATE parcels SET phone = 'cAnArYphone'; CREATE TABLE notes (text text)`);
      await client.query(
        `INSERT INTO notes SELECT 'cAnArYnote' FROM generate_series(1, 9); CREATE INDEX ON notes (lower(text))`,
      );
      await client.query(`ANALYZE notes; DELETE FROM notes`);
      await client.query(
        `INSERT INTO ops.migration_runs (planned, actor, error) VALUES ('{}', 'x', 'invalid: cAnArYerror')`,
      );
      await client.query(`SELECT lo_unlink(lo_from_bytea(0, 'cAnArYobject'))`);
      await client.query(`ALTER EVENT TRIGGER airlock_refuse_drop DISABLE; ALTER TABLE parcels DROP COLUMN phone`);
    });
    await refresh({ ...sampleModel, ...target, copy, columns: { ...columns, notes: { text: 'keep' } } });
    expect(await findCanariesOf(target)).toEqual([]);
    await runAs(inside(target), async (client) => {
      expect(await ask(client, 'SELECT error FROM ops.migration_runs WHERE error IS NOT NULL')).toBe(
        'removed by airlock db refresh',
      );
    });
  });

  it('refuses an index that a failed DROP INDEX CONCURRENTLY left, and removes its rows after it is dropped', async () => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: original });
    await runAs(inside(target), async (client) => {
      await client.query('CREATE INDEX names ON parcels (name)');
      // The event trigger refuses the drop in the last of its transactions, when the index is already dead.
      await expect(client.query('DROP INDEX CONCURRENTLY names')).rejects.toThrow('cannot be dropped in production');
    });
    await expect(refresh({ ...sampleModel, ...target, copy })).rejects.toThrow(
      '\n  index public.names is not maintained',
    );
    await runAs(inside(target), async (client) => {
      await client.query('ALTER EVENT TRIGGER airlock_refuse_drop DISABLE');
      await client.query('DROP INDEX names');
    });
    await refresh({ ...sampleModel, ...target, copy });
    expect(await findCanariesOf(target)).toEqual([]);
  });

  it('rebuilds an index that is invalid but maintained', async () => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: original });
    await runAs(inside(target), (client) =>
      client.query(`CREATE INDEX names ON parcels (name);
        UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'names'::regclass`),
    );
    await refresh({ ...sampleModel, ...target, copy });
    expect(await findCanariesOf(target)).toEqual([]);
  });

  it('keeps text of the schema; drift shows it, except comments and defaults of domains', async () => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: original });
    await runAs(inside(target), (client) =>
      client.query(`CREATE TYPE mood AS ENUM ('cAnArYlabel');
        CREATE DOMAIN label AS text DEFAULT 'cAnArYdomain';
        CREATE FUNCTION helper() RETURNS text LANGUAGE sql AS $$ SELECT 'cAnArYbody' $$;
        CREATE VIEW names AS SELECT name FROM parcels WHERE name <> 'cAnArYview';
        GRANT SELECT ON names TO PUBLIC;
        CREATE INDEX few ON parcels (name) WHERE name = 'cAnArYindex';
        CREATE POLICY wide ON parcels USING (name <> 'cAnArYpolicy');
        ALTER TABLE parcels ALTER name SET DEFAULT 'cAnArYdefault', ADD CONSTRAINT other CHECK (name <> 'cAnArYcheck'),
          DISABLE ROW LEVEL SECURITY;
        COMMENT ON TABLE parcels IS 'cAnArYcomment'`),
    );
    await refresh({ ...sampleModel, ...target, copy });
    const { missing, unexpected } = await findDrift({ config: createConfig(target), ...sampleModel });
    expect(missing).toContain('ALTER TABLE public.parcels ENABLE ROW LEVEL SECURITY;');
    expect(unexpected).toContain('GRANT SELECT ON TABLE public.names TO PUBLIC;');
    const shown = [...unexpected.join('\n').matchAll(/cAnArY(\w+)/g)].map(([, what]) => what);
    expect(shown.sort()).toEqual(['body', 'check', 'default', 'index', 'label', 'policy', 'view']);
  });

  it('changes the stamp last, reports a failure to do so, and finishes in a second run', async () => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: original });
    const slow = { parcels: { ...columns['parcels'], name: { value: `'Parcel' || pg_catalog.pg_sleep(0.03)` } } };
    // The session connects while the rows are replaced, and waits for the table. Had it connected earlier, the first
    // check would have reported it.
    const [late, error] = await runAs(target.admin, async (watcher) => {
      const refreshing = refresh({ ...sampleModel, ...target, copy, columns: slow }).catch((reason: unknown) => reason);
      const isReplacing = `SELECT FROM pg_stat_activity WHERE datname = '${copy}' AND query LIKE 'UPDATE%'`;
      while ((await watcher.query(isReplacing)).rowCount === 0) await sleep(10);
      const session = await connectClient(inside(target), { config: createSessionConfig('testing'), purpose: 'late' });
      return [session, await refreshing] as const;
    });
    await late.end();
    expect(error).toBeInstanceOf(UnfinishedRefreshError);
    expect((error as Error).message).toMatch(
      new RegExp(
        `^database "${copy}": its rows are replaced, but it still carries the stamp of production: [^]*late[^]*airlock db refresh ${copy}`,
      ),
    );
    await runAs(inside(target), async (client) => {
      expect(await ask(client, `SELECT bool_and(name = 'Parcel')::text FROM parcels`)).toBe('true');
      expect(await ask(client, 'SELECT environment FROM ops.environment')).toBe('production');
    });
    expect((await refresh({ ...sampleModel, ...target, copy })).stamp.environment).toBe('staging');
  });

  it('has a rule for every column that the migrations create, and no other', async () => {
    const { source } = await createCopy(cluster, { environment: 'staging', of: original });
    const unfit = await runAs(inside(source), async (client) => {
      await client.query('BEGIN');
      return findUnfitColumns(client, listTableRules(columns));
    });
    expect(unfit).toEqual([]);
  });
});

describe('provision', () => {
  it('adopts no copy of another environment, because its rows are not sanitised', async () => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: original });
    await expect(provision({ ...target, adopt: copy })).rejects.toThrow(
      new RegExp(`is a copy of production .* and contains its user data.*\\n {2}.*airlock db refresh ${copy}$`),
    );
  });

  it('adopts only a copy of production as production', async () => {
    const { source } = await createCopy(cluster, { environment: 'staging', of: original });
    const made = createAddresses(cluster, nextName(), 'staging');
    await provision(made);
    const copy = `${made.app.database}_copy`;
    await runAs(source.admin, (admin) => admin.query(`CREATE DATABASE ${copy} TEMPLATE ${made.app.database}`));
    const asProduction = at(made, copy, 'production');
    await expect(provision({ ...asProduction, adopt: copy })).rejects.toThrow(
      'Only a copy of production can become production.',
    );
  });

  it.each<[string, (scene: Scene) => Promise<ProvisionOptions>]>([
    [
      'adopted',
      async ({ source, copy }) => {
        const adopted = at(source, copy, 'production');
        await provision({ ...adopted, adopt: copy });
        return adopted;
      },
    ],
    [
      'adopted again while processes use it',
      async ({ source }) => {
        await provision({ ...source, adopt: source.app.database });
        return source;
      },
    ],
    [
      'refreshed',
      async ({ target, copy }) => {
        await refresh({ ...sampleModel, ...target, copy });
        return target;
      },
    ],
  ])('closes the cache of a database that is %s, and gives it a new generation', async (_, take) => {
    const source = await createSource(cluster);
    const select = 'SELECT generation, is_open FROM ops.read_cache';
    const before = await runAs(inside(source), async (client) => {
      await client.query(`UPDATE ops.read_cache SET is_open = true, server = 'redis'`);
      return (await client.query<{ generation: string }>(select)).rows[0];
    });
    const taken = await take(await createCopy(cluster, { environment: 'staging', of: source }));
    const after = await runAs(taken.app, async (client) => (await client.query(select)).rows[0] as typeof before);
    expect(after).toMatchObject({ is_open: false });
    expect(after?.generation).not.toBe(before?.generation);
  });

  it('gives the owner of an adopted copy the objects that its migrations change', async () => {
    const { source } = await createCopy(cluster, { environment: 'staging', of: original });
    const copy = `${source.app.database}_back`;
    await runAs(source.admin, (admin) => admin.query(`CREATE DATABASE ${copy} TEMPLATE ${source.app.database}`));
    const back = at(source, copy, 'production');
    expect((await provision({ ...back, adopt: copy })).stamp).toMatchObject({
      environment: 'production',
      databaseName: copy,
    });
    await runAs(back.migration, async (client) => {
      await client.query(`SET ROLE ${copy}_owner`);
      await client.query('ALTER TABLE public.parcels ADD COLUMN later text');
    });
  });
});

function at(options: ProvisionOptions, database: string, environment: Environment): ProvisionOptions {
  const { app, migration } = options;
  return { ...options, environment, app: { ...app, database }, migration: { ...migration, database } };
}

async function findCanariesOf(options: ProvisionOptions): Promise<string[]> {
  const oid = await runAs(inside(options), async (client) => {
    await client.query('CHECKPOINT');
    return ask(client, `SELECT oid::text FROM pg_database WHERE datname = current_database()`);
  });
  return findCanaries(join(cluster.dataDir, 'base', oid as string));
}

function findCanaries(folder: string): string[] {
  const files = readdirSync(folder).map((name) => join(folder, name));
  return files.filter((path) => /cAnArY/.test(readFileSync(path, 'latin1')));
}
