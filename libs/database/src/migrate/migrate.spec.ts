import { describe, expect, it } from '@jest/globals';
import { migrate } from './migrate.js';
import { useScratchCluster } from './scratch-database.fixture.js';

const cluster = useScratchCluster();

describe('migrate', () => {
  it('brings an empty database to the head', async () => {
    const { config } = await cluster.create();
    await expect(migrate({ config })).resolves.toMatchObject({ head: '20261121030000-create-entities' });
  });
});
