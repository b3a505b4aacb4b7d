import { checkSchema } from '@airlock/database';
import { sampleModel } from '@airlock/database/sample';
import type { Type } from '@nestjs/common';
import type { ServiceDefinition } from '../app/service-definition.js';

/** A service with the routes of a module, on the database of the sample model. */
export const defineService = (module: Type): ServiceDefinition => ({
  title: 'Sample',
  prefix: 'api/v1',
  module,
  constraints: [],
  cachedTables: [],
  jobs: [],
  jobModules: [],
  loadEntities: () => Promise.resolve([]),
  checkSchema: (session) => checkSchema(session, sampleModel.migrations),
});
