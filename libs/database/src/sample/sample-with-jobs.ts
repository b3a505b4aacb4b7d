import { jobsSchema } from '../model/jobs-schema.js';
import { defineMigration } from '../model/migration.js';
import type { Model } from '../model/product-model.js';
import { sampleModel } from './sample-model.js';

/** For the specs of services, which have jobs. */
export const sampleModelWithJobs: Model = {
  ...sampleModel,
  migrations: [
    ...sampleModel.migrations,
    defineMigration({ name: '20261121040000-create-queues', phase: 'expand', statements: jobsSchema }),
  ],
};
