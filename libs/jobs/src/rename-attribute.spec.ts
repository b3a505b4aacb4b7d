import { model } from '@airlock/model';
import { EntityRecord } from '@airlock/model/orm';
import { describeProduct } from '@airlock/service/product';
import { useTestJobs } from '@airlock/service/testing';
import { describe, expect, it } from '@jest/globals';
import { jobModules, jobs } from './index.js';
import { renameAttribute } from './rename-attribute.js';

const [OWNER, OTHER] = ['user_1', 'user_2'];

describe.each(['rollback', 'delete'] as const)('entities.rename-attribute with %s', (isolation) => {
  const world = useTestJobs(describeProduct(model, jobs, jobModules), { isolation });
  const add = (ownerId: string, attributes: object[]) =>
    world.database.asUser(ownerId, (tx) =>
      tx
        .getRepository(EntityRecord)
        .insert(attributes.map((of) => ({ ownerId, name: 'Kettle', attributes: { ...of } }))),
    );
  const read = (ownerId: string) =>
    world.database.asUser(ownerId, async (tx) => {
      const found = await tx.getRepository(EntityRecord).find({ order: { id: 'ASC' } });
      return found.map(({ attributes }) => attributes);
    });
  const send = (data: { ownerId: string; from: string; to: string }) =>
    world.database.asUser(OWNER, (tx) => world.sender.send(tx, renameAttribute, data));

  it('renames it in all records of the owner, in steps, and in no other', async () => {
    await add(
      OWNER,
      Array.from({ length: 250 }, (_, at) => ({ color: 'red', at })),
    );
    await add(OTHER, [{ color: 'blue' }]);
    await send({ ownerId: OWNER, from: 'color', to: 'colour' });
    expect(await world.run()).toEqual([{ name: 'entities.rename-attribute', outcome: 'done' }]);
    expect(await read(OWNER)).toEqual(Array.from({ length: 250 }, (_, at) => ({ colour: 'red', at })));
    expect(await read(OTHER)).toEqual([{ color: 'blue' }]);
  });

  it('keeps the attribute that already has the new name', async () => {
    await add(OWNER, [{ color: 'red', colour: 'green' }, { size: 1 }]);
    await send({ ownerId: OWNER, from: 'color', to: 'colour' });
    await world.run();
    expect(await read(OWNER)).toEqual([{ colour: 'green' }, { size: 1 }]);
  });
});
