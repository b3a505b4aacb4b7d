import { Secret } from '@airlock/config';
import { skipUnless } from '@airlock/config/testing';
import { createAddresses, runAs } from '@airlock/database/fixtures';
import { defineMigration } from '@airlock/database/model';
import { loadPlan, loadStatus, migrate, provision } from '@airlock/database/operations';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createWorld, type World } from './backup-world.fixture.js';
import { findClientTools } from './client-tools.fixture.js';
import { createBackup } from './index.js';

const tools = findClientTools();
const describeWithTools = skipUnless(tools !== undefined, describe, 'no pg_dump 18, and no image to take it from');
const HOUR_MS = 3_600_000;
const addSize = defineMigration({
  name: '20991128000000-add-size',
  phase: 'expand',
  statements: ['ALTER TABLE public.parcels ADD COLUMN size integer'],
});

describeWithTools('MIGRATION_BACKUP_AGE', () => {
  let cluster: Cluster;
  let world: World;
  beforeAll(async () => void (cluster = await startScratchCluster()));
  afterAll(() => cluster.stop());
  beforeEach(async () => void (world = await createWorld(cluster, { tools })));
  afterEach(() => world.close());

  const target = (ageForMigrationMs: number | undefined = 26 * HOUR_MS) => ({
    config: { ...world.config, backups: { ...world.config.backups, ageForMigrationMs } },
    migrations: [...world.options.migrations, addSize],
  });
  const run = (ageMs?: number) => migrate(target(ageMs));
  const hasSize = async () =>
    (await world.sql(`SELECT FROM pg_attribute WHERE attrelid = 'parcels'::regclass AND attname = 'size'`)).length ===
    1;

  it('refuses migrations before any change while no backup is recorded, also in the plan, and names the command', async () => {
    const refusal =
      /no backup of it is recorded, and 1 migration is pending; expected one that is at most 26.0 h old .*\n {2}airlock db backup/;
    await expect(run()).rejects.toMatchObject({ exitCode: 3, message: expect.stringMatching(refusal) as unknown });
    await expect(loadPlan(target())).rejects.toThrow(refusal);
    expect(await hasSize()).toBe(false);
    expect(await world.sql('SELECT FROM ops.migration_runs')).toHaveLength(1);
  });

  it('accepts a recent backup, and one that is older than the limit no more', async () => {
    const { backup, isRecorded } = await createBackup(world.options);
    expect(isRecorded).toBe(true);
    expect((await loadStatus(target())).backup).toMatchObject({ name: backup.name, takenAt: new Date(backup.takenAt) });
    await world.sql(`UPDATE ops.backups SET taken_at = taken_at - interval '27 hours'`);
    await expect(run()).rejects.toThrow(`its newest backup is 27.0 h old (${backup.name})`);
    await createBackup(world.options);
    await run();
    expect(await hasSize()).toBe(true);
  });

  it('counts no backup that has lost rows, and none that was removed', async () => {
    const { backup } = await createBackup(world.options);
    await world.sql('DELETE FROM public.parcels WHERE ctid NOT IN (SELECT ctid FROM public.parcels LIMIT 10)');
    const shrunken = await createBackup(world.options);
    expect(shrunken.backup.doubts).not.toEqual([]);
    expect((await loadStatus(target())).backup?.name).toBe(backup.name);
    const { removed } = await createBackup({ ...world.options, keep: 1 });
    expect(removed).toContain(backup.name);
    expect(
      await world.sql('SELECT name FROM ops.backups WHERE name = ANY ($$' + `{${removed.join(',')}}` + '$$)'),
    ).toEqual([]);
  });

  it('asks for none where nothing is pending, where no migration was applied yet, and where it is not set', async () => {
    await migrate({ ...target(), migrations: world.options.migrations });
    await migrate({ ...target(), config: world.config });
    expect(await hasSize()).toBe(true);
    const first = createAddresses(cluster, 'required', 'production');
    await provision(first);
    const { app, migration } = first;
    const { config, migrations } = target();
    const report = await migrate({
      config: { ...config, database: { ...config.database, app, migration } },
      migrations,
    });
    expect(report.applied).toHaveLength(migrations.length);
  });

  it('says that it has recorded nothing if the role may not, and then a migration is refused', async () => {
    const { admin } = world.options;
    await runAs(admin, (client) =>
      client.query(`SET scram_iterations = 4096; CREATE ROLE reader LOGIN BYPASSRLS PASSWORD 'reader-of-all-rows'; GRANT pg_read_all_data TO reader;
        GRANT CONNECT ON DATABASE ${world.options.app.database} TO reader`),
    );
    const reader = { ...admin, user: 'reader', password: new Secret('reader-of-all-rows') };
    const { isRecorded } = await createBackup({ ...world.options, admin: reader });
    expect(isRecorded).toBe(false);
    await expect(run()).rejects.toThrow('no backup of it is recorded');
  });
});
