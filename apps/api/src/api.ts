import { jobModules, jobs } from '@airlock/jobs';
import { model } from '@airlock/model';
import { connectionConstraints } from '@airlock/provider-connections';
import type { ServiceDefinition } from '@airlock/service';
import { describeProduct } from '@airlock/service/product';
import { AppModule } from './app.module.js';
import { entityConstraints } from './entities/entity.constraints.js';

/** Describes this API to the service. */
export const api: ServiceDefinition = {
  ...describeProduct(model, jobs, jobModules),
  title: 'Airlock API',
  prefix: 'api/v1',
  module: AppModule,
  constraints: [entityConstraints, connectionConstraints],
};
