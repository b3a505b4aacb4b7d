import { setTimeout as sleep } from 'node:timers/promises';
import { checkSchema } from '@airlock/database';
import { Parcel } from '@airlock/database/sample';
import { z } from 'zod';
import type { ProductDefinition } from '../../../app/service-definition.js';
import { job } from '../../../jobs/job.js';

const USER = 'user_1';
const shape = z.strictObject({ name: z.string(), ms: z.int() });

/** Adds a parcel after a while, once. */
export const slowJob = job({
  name: 'slow',
  data: shape,
  // A first crash adds no pause.
  retryDelaySeconds: 600,
  run: async ({ data, database, finish, logger }) => {
    logger.info('slow.begun');
    await sleep(data.ms);
    await database.asUser(USER, async (tx) => {
      await tx.getRepository(Parcel).save({ ownerId: USER, name: data.name, attributes: {} });
      await finish(tx);
    });
  },
});

/** Adds ten parcels, with a pause after each. */
export const longJob = job({
  name: 'long',
  data: shape,
  cursor: z.int(),
  step: async ({ data, cursor = 0, database, finish, logger }) => {
    const next = cursor < 9 ? cursor + 1 : undefined;
    await database.asUser(USER, async (tx) => {
      await tx.getRepository(Parcel).save({ ownerId: USER, name: `${data.name} ${cursor}`, attributes: {} });
      await finish(tx, next);
    });
    logger.info({ cursor }, 'long.stepped');
    await sleep(data.ms);
    return next;
  },
});

/** Kills its process, and is not repeated. */
export const fatalJob = job({
  name: 'fatal',
  data: z.strictObject({}),
  retries: 0,
  run: async () => {
    process.kill(process.pid, 'SIGKILL');
    await sleep(60_000);
  },
});

/** A process that only runs jobs, for the specs of the service. */
export const workingService: ProductDefinition = {
  checkSchema: (session) => checkSchema(session, []),
  loadEntities: () => Promise.resolve([Parcel]),
  cachedTables: [],
  jobs: [slowJob, longJob, fatalJob],
  jobModules: [],
};
