import type { Model } from '@airlock/database/model';
import { backfills } from './backfills/index.js';
import { migrations } from './migrations/index.js';
import { seeds } from './entities/seeds.js';

/** The tables of this product. Programs pass them to the libraries, which do not refer to any table themselves. */
export const model: Model = {
  migrations,
  backfills,
  seeds,
  cachedTables: ['entities'],
  folder: new URL('./', import.meta.url),
  loadEntities: async () => (await import('./entities/index.js')).entities,
  loadClasses: async () => (await import('./entities/index.js')).classes,
};
