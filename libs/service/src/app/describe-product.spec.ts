import { describe, expect, it } from '@jest/globals';
import { migrate } from '@airlock/database/operations';
import { useScratchCluster } from '@airlock/database/fixtures';
import { defineBackfill } from '@airlock/database/model';
import { sampleModel } from '@airlock/database/sample';
import { describeProduct } from './describe-product.js';

const cluster = useScratchCluster();

describe('describeProduct', () => {
  it('makes a process wait for the migrations and for the backfills that its code requires', async () => {
    const backfill = defineBackfill({
      name: 'fill-name',
      follows: String(sampleModel.migrations.at(-1)?.name),
      table: 'public.parcels',
      set: { name: `'unnamed'` },
      where: `name = ''`,
      isRequired: true,
    });
    const product = describeProduct({ ...sampleModel, backfills: [backfill] }, []);
    const database = await cluster.create('staging');
    const { config } = database;
    const app = await database.connect('app');
    expect(await product.checkSchema(app)).toMatchObject({ isServing: false });
    await migrate({ config, migrations: sampleModel.migrations });
    expect(await product.checkSchema(app)).toMatchObject({
      isServing: false,
      reasons: ['the backfill fill-name is not started'],
    });
    const other = describeProduct({ ...sampleModel, backfills: [{ ...backfill, isRequired: false }] }, []);
    expect(await other.checkSchema(app)).toMatchObject({ isServing: true });
  });
});
