import { checkSchema } from '@airlock/database';
import { model } from '@airlock/model';
import type { ServiceDefinition } from '@airlock/service';
import { AppModule } from './app.module.js';

/** Describes this API to the service. */
export const api: ServiceDefinition = {
  title: 'Airlock API',
  prefix: 'api/v1',
  module: AppModule,
  checkSchema: (session) => checkSchema(session, model.migrations),
};
