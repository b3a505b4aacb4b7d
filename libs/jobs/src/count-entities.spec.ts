import { model } from '@airlock/model';
import { EntityRecord } from '@airlock/model/orm';
import { describeProduct } from '@airlock/service/product';
import { useTestJobs } from '@airlock/service/testing';
import { describe, expect, it } from '@jest/globals';
import { countEntities } from './count-entities.js';
import { jobModules, jobs } from './index.js';

describe('entities.count', () => {
  const world = useTestJobs(describeProduct(model, jobs, jobModules));

  it('logs how many records and owners there are', async () => {
    const before = await count();
    for (const ownerId of ['user_1', 'user_2'])
      await world.database.asUser(ownerId, (tx) =>
        tx.getRepository(EntityRecord).insert([1, 2].map(() => ({ ownerId, name: 'Kettle', attributes: {} }))),
      );
    const after = await count();
    expect([after.records - before.records, after.owners - before.owners]).toEqual([4, 2]);
  });

  async function count(): Promise<{ records: number; owners: number }> {
    await world.database.asSystem('spec', (tx) => world.sender.send(tx, countEntities, {}));
    expect(await world.run()).toEqual([{ name: 'entities.count', outcome: 'done' }]);
    const line = world.lines.findLast(({ event }) => event === 'entities.counted');
    expect(line).toMatchObject({ job: 'entities.count', job_id: expect.any(String) });
    return line as unknown as { records: number; owners: number };
  }

  it('is sent each night', () => {
    expect(countEntities.schedule).toEqual({ cron: '0 3 * * *', timeZone: 'UTC', data: {} });
  });
});
