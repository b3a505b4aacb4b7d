import type { Model } from '@airlock/database/model';
import { columns } from './columns.js';
import { migrations } from './migrations/index.js';
import { seedRows } from './seed-rows.js';

/** This product's part of its database. Programs hand it to the libraries, which know no table of it. */
export const model: Model = {
  migrations,
  columns,
  seedRows,
  folder: new URL('./', import.meta.url),
  loadEntities: async () => (await import('./entities/index.js')).entities,
};
