import { describe, expect, it } from '@jest/globals';
import type { Environment } from '@airlock/config';
import { migrate } from '../migrate/migrate.js';
import { useScratchCluster } from '../migrate/scratch-database.fixture.js';
import { seed } from './seed.js';
import { sampleModel } from '../sample/sample-model.js';

const cluster = useScratchCluster();

describe('seed', () => {
  it('adds missing rows, and keeps changed ones', async () => {
    const { config, superuser } = await cluster.create();
    await migrate({ config, ...sampleModel });
    await expect(seed({ ...sampleModel, config, rows: 5 })).resolves.toEqual({ inserted: 5, present: 0 });
    await superuser.query(`UPDATE public.parcels SET name = 'mine' WHERE name = 'Parcel 1'`);
    await expect(seed({ ...sampleModel, config, rows: 2_500 })).resolves.toEqual({ inserted: 2_495, present: 5 });
    const { rows } = await superuser.query<{ name: string }>('SELECT name FROM public.parcels ORDER BY id LIMIT 1');
    expect(rows).toEqual([{ name: 'mine' }]);
  });

  it('shows each user of the service only their own rows', async () => {
    const database = await cluster.create();
    const { config } = database;
    await migrate({ config, ...sampleModel });
    await seed({ ...sampleModel, config });
    const app = await database.connect('app');
    expect((await app.query('SELECT FROM public.parcels')).rowCount).toBe(0);
    await app.query(`SET app.user_id = 'user_ada'`);
    const { rows } = await app.query('SELECT DISTINCT owner_id FROM public.parcels');
    expect(rows).toEqual([{ owner_id: 'user_ada' }]);
  });

  it('reports its progress', async () => {
    const { config } = await cluster.create();
    await migrate({ config, ...sampleModel });
    const seen: number[] = [];
    await seed({ ...sampleModel, config, rows: 1_500, onProgress: ({ done }) => seen.push(done) });
    expect(seen).toEqual([1_000, 1_500]);
  });

  it('refuses production before it connects', async () => {
    const { config } = await cluster.create();
    const production = { ...config, environment: 'production' as Environment };
    await expect(seed({ ...sampleModel, config: production })).rejects.toThrow(
      'ENVIRONMENT: seeds are sample data, and this is production; expected development, testing, preview, staging',
    );
  });
});
