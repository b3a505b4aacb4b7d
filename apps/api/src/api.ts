import { checkSchema } from '@airlock/database';
import { model } from '@airlock/model';
import type { ServiceDefinition } from '@airlock/service';
import { AppModule } from './app.module.js';
import { controllers } from './controllers.js';

/** Describes this API to the service. */
export const api: ServiceDefinition = {
  title: 'Airlock API',
  prefix: 'api/v1',
  module: AppModule,
  controllers,
  checkSchema: (session) => checkSchema(session, model.migrations),
};
