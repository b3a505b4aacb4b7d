import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config, Environment } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { createAddresses, runAs } from '@airlock/database/fixtures';
import { migrate, provision } from '@airlock/database/operations';
import { sampleModel } from '@airlock/database/sample';
import type { Cluster } from '@airlock/embedded-postgres';
import { openBackupStorage, type StampedBackend } from '@airlock/storage';
import type { CreateOptions, DrillOptions } from './index.js';

export interface World {
  readonly options: CreateOptions & DrillOptions & Pick<typeof sampleModel, 'migrations'>;
  readonly config: Config;
  readonly folder: string;
  /** SQL as the administrator, in the database or in another one. */
  sql<T extends object>(text: string, database?: string): Promise<T[]>;
  /** Names of the stored objects, without the stamp. */
  files(): Promise<string[]>;
  /** Changes the bytes of the object that ends so. */
  change(ending: string, edit: (bytes: Buffer) => Buffer): Promise<void>;
  close(): Promise<void>;
}

let counter = 0;

/** A database with rows, and an empty storage of its backups. */
export async function createWorld(
  cluster: Cluster,
  { tools, environment = 'production' }: { tools: string | undefined; environment?: Environment },
): Promise<World> {
  const addresses = createAddresses(cluster, `backup${(counter += 1)}`, environment);
  await provision(addresses);
  const { app, migration, admin } = addresses;
  const base = loadConfig({
    cwd: '/nonexistent',
    env: { ENVIRONMENT: 'testing', DATABASE_URL: 'postgres://a:b@127.0.0.1:1/a_test' },
  });
  const config = { ...base, environment, database: { ...base.database, app, migration } };
  await migrate({ config, ...sampleModel });
  const folder = await mkdtemp(join(tmpdir(), 'airlock-backups-'));
  const storage: StampedBackend = await openBackupStorage({ kind: 'folder', path: folder }, { ...config, environment });
  const sql = <T extends object>(text: string, database = app.database) =>
    runAs({ ...admin, database }, async (client) => (await client.query<T>(text)).rows);
  await sql(
    `INSERT INTO public.parcels (owner_id, name) SELECT 'user_' || n % 7, 'parcel ' || n FROM generate_series(1, 300) n`,
  );
  const files = async () => (await readdir(folder)).filter((name) => name !== 'airlock-backups.json');
  return {
    options: {
      ...{ admin, app, environment, storage, tools, keep: 3, recipients: [] },
      migrations: sampleModel.migrations,
      ask: () => Promise.resolve([]),
    },
    config,
    folder,
    sql,
    files,
    async change(ending, edit) {
      const path = join(folder, (await files()).find((name) => name.endsWith(ending)) ?? 'none');
      await writeFile(path, edit(await readFile(path)));
    },
    async close() {
      storage.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
