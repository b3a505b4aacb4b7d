import { EntityRecord } from '@airlock/model/orm';
import { job } from '@airlock/service/jobs';
import { z } from 'zod';

/** Logs each night how many records and owners there are. */
export const countEntities = job({
  name: 'entities.count',
  data: z.strictObject({}),
  schedule: { cron: '0 3 * * *', timeZone: 'UTC', data: {} },
  run: async ({ database, logger }) => {
    const figures = await database.asSystem('entities.count: the figures of the night', (tx) =>
      tx
        .createQueryBuilder(EntityRecord, 'entity')
        .select('count(*)::int', 'records')
        .addSelect('count(DISTINCT entity.owner_id)::int', 'owners')
        .getRawOne<{ records: number; owners: number }>(),
    );
    logger.info(figures, 'entities.counted');
  },
});
