import { describe, expect, it } from '@jest/globals';
import type { Environment } from '@airlock/config';
import { migrate } from '../migrate/migrate.js';
import { useScratchCluster } from '../migrate/scratch-database.fixture.js';
import { seed } from './seed.js';
import { createSeedRows } from './seed-rows.js';

const cluster = useScratchCluster();
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('seed', () => {
  it('adds what is missing, and leaves what somebody changed', async () => {
    const { config, superuser } = await cluster.create();
    await migrate({ config });
    await expect(seed({ config, rows: 5 })).resolves.toEqual({ inserted: 5, present: 0 });
    await superuser.query(`UPDATE public.entities SET name = 'mine' WHERE id = '${createSeedRows(1)[0]?.id}'`);
    await expect(seed({ config, rows: 2_500 })).resolves.toEqual({ inserted: 2_495, present: 5 });
    const { rows } = await superuser.query<{ name: string }>('SELECT name FROM public.entities ORDER BY id LIMIT 1');
    expect(rows).toEqual([{ name: 'mine' }]);
  });

  it('shows each user of the service their own rows alone', async () => {
    const database = await cluster.create();
    const { config } = database;
    await migrate({ config });
    await seed({ config });
    const app = await database.connect('app');
    expect((await app.query('SELECT FROM public.entities')).rowCount).toBe(0);
    await app.query(`SET app.user_id = 'user_ada'`);
    const { rows } = await app.query('SELECT DISTINCT owner_id FROM public.entities');
    expect(rows).toEqual([{ owner_id: 'user_ada' }]);
  });

  it('tells how far it is', async () => {
    const { config } = await cluster.create();
    await migrate({ config });
    const seen: number[] = [];
    await seed({ config, rows: 1_500, onProgress: ({ done }) => seen.push(done) });
    expect(seen).toEqual([1_000, 1_500]);
  });

  it('refuses production before it connects', async () => {
    const { config } = await cluster.create();
    const production = { ...config, environment: 'production' as Environment };
    await expect(seed({ config: production })).rejects.toThrow(
      'ENVIRONMENT: seeds are sample data and this is production; expected development, testing, preview, staging',
    );
  });
});

describe('createSeedRows', () => {
  it('makes the same rows every time, and a longer list begins with the shorter one', () => {
    expect(createSeedRows(50)).toEqual(createSeedRows(100).slice(0, 50));
    expect(createSeedRows(1)[0]).toMatchObject({ id: '019b76da-a800-72f5-836e-d794f639044e', name: 'Sextant 1' });
  });

  it('gives ids that are version 7, unique and in the order of time', () => {
    const ids = createSeedRows(500).map(({ id }) => id);
    expect(ids.filter((id) => !UUID_V7.test(id))).toEqual([]);
    expect([...new Set(ids)].sort()).toEqual(ids);
  });
});
