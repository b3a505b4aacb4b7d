import { defineMigration, jobsSchema } from '@airlock/database/model';

export const createJobs = defineMigration({
  name: '20261127100000-create-jobs',
  phase: 'expand',
  statements: jobsSchema,
});
