import { EntityRecord } from '@airlock/model/orm';
import { ReadCaches } from '@airlock/service';
import { job } from '@airlock/service/jobs';
import { MoreThan } from 'typeorm';
import { z } from 'zod';

const ROWS_PER_STEP = 100;
const attribute = z.string().min(1).max(100);

/** Renames an attribute in all records of an owner, some in each step. A record that has the new one keeps it. */
export const renameAttribute = job({
  name: 'entities.rename-attribute',
  data: z.strictObject({ ownerId: z.string().min(1).max(255), from: attribute, to: attribute }),
  cursor: z.uuid(),
  step: ({ data, cursor, database, finish, get }) =>
    // The API caches the rows of this table.
    get(ReadCaches).changeAll(() =>
      database.asUser(data.ownerId, async (tx) => {
        const entities = tx.getRepository(EntityRecord);
        const where = cursor === undefined ? {} : { id: MoreThan(cursor) };
        const found = await entities.find({ where, order: { id: 'ASC' }, take: ROWS_PER_STEP });
        for (const entity of found) {
          const { [data.from]: value, ...others } = entity.attributes;
          if (value !== undefined) await entities.save({ ...entity, attributes: { [data.to]: value, ...others } });
        }
        const next = found.length === ROWS_PER_STEP ? found.at(-1)?.id : undefined;
        await finish(tx, next);
        return next;
      }),
    ),
});
