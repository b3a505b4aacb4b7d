import { provision, readStamp, withClient, createSessionConfig } from '@airlock/database/operations';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { skipUnless } from '@airlock/config/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createWorld, type World } from './backup-world.fixture.js';
import { findClientTools } from './client-tools.fixture.js';
import { createBackup, restoreBackup, restoreDrill } from './index.js';

const tools = findClientTools();
const describeWithTools = skipUnless(tools !== undefined, describe, 'no pg_dump 18, and no image to take it from');

describeWithTools('backups', () => {
  let cluster: Cluster;
  let world: World;
  beforeAll(async () => void (cluster = await startScratchCluster()));
  afterAll(() => cluster.stop());
  beforeEach(async () => void (world = await createWorld(cluster, { tools })));
  afterEach(() => world.close());

  const databases = async () =>
    (await world.sql<{ name: string }>('SELECT datname::text AS name FROM pg_database')).map(({ name }) => name);
  const restored = () => `${world.options.app.database}_restored`;

  it('stores the rows of one snapshot, and restores them beside the original', async () => {
    const { backup } = await createBackup(world.options);
    expect(backup).toMatchObject({
      environment: 'production',
      doubts: [],
      isEncrypted: false,
      contents: { rows: { 'public.parcels': 300 } },
    });
    await world.sql('DELETE FROM public.parcels WHERE ctid IN (SELECT ctid FROM public.parcels LIMIT 10)');
    await restoreBackup(world.options, { name: backup.name, as: restored() });
    expect(await world.sql('SELECT count(*)::int AS n FROM public.parcels', restored())).toEqual([{ n: 300 }]);
  });

  it('leaves the stamp of the original in a restored database, until it is adopted by its full name', async () => {
    await createBackup(world.options);
    await restoreBackup(world.options, { name: 'latest', as: restored() });
    const { admin, app } = world.options;
    const config = createSessionConfig('production');
    const stamp = await withClient({ ...admin, database: restored() }, { config, purpose: 'spec' }, readStamp);
    expect(stamp).toMatchObject({ environment: 'production', databaseName: app.database });
    const adoption = {
      ...world.options,
      app: { ...app, database: restored() },
      migration: { ...app, user: `${app.database}_migrator`, database: restored() },
    };
    await expect(provision(adoption)).rejects.toThrow('it was renamed, cloned or restored');
    expect((await provision({ ...adoption, adopt: restored() })).stamp.databaseName).toBe(restored());
  });

  it('proves the newest backup in a database that it drops, and records it', async () => {
    const { backup } = await createBackup(world.options);
    const before = await databases();
    await restoreDrill(world.options);
    expect(await databases()).toEqual(before);
    expect(await world.sql('SELECT name FROM ops.restorable_backups')).toEqual([{ name: backup.name }]);
  });
});
