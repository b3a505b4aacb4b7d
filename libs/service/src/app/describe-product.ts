import { checkSchema } from '@airlock/database';
import type { Model } from '@airlock/database/model';
import type { Type } from '@nestjs/common';
import type { Job } from '../jobs/job.js';
import type { ProductDefinition } from './service-definition.js';

/** Describes to every process of a product its model and its jobs. */
export function describeProduct(
  model: Model,
  jobs: readonly Job[],
  jobModules: readonly Type[] = [],
): ProductDefinition {
  return {
    checkSchema: (session) => checkSchema(session, model.migrations, model.backfills),
    loadEntities: () => model.loadEntities(),
    cachedTables: model.cachedTables,
    jobs,
    jobModules,
  };
}
