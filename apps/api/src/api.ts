import { checkSchema } from '@airlock/database';
import { model } from '@airlock/model';
import { connectionConstraints } from '@airlock/provider-connections';
import type { ServiceDefinition } from '@airlock/service';
import { AppModule } from './app.module.js';
import { entityConstraints } from './entities/entity.constraints.js';

/** Describes this API to the service. */
export const api: ServiceDefinition = {
  title: 'Airlock API',
  prefix: 'api/v1',
  module: AppModule,
  loadEntities: () => model.loadEntities(),
  constraints: [entityConstraints, connectionConstraints],
  checkSchema: (session) => checkSchema(session, model.migrations),
};
