import type { Model } from '@airlock/database/model';
import { columns } from './columns.js';
import { migrations } from './migrations/index.js';
import { seedRows } from './seed-rows.js';

/** The tables of this product. Programs pass them to the libraries, which do not refer to any table themselves. */
export const model: Model = {
  migrations,
  columns,
  seedRows,
  cachedTables: ['entities'],
  folder: new URL('./', import.meta.url),
  loadEntities: async () => (await import('./entities/index.js')).entities,
};
