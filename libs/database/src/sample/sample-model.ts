import type { Model } from '../model/product-model.js';
import { defineSeeds } from '../model/define-seeds.js';
import { createParcels } from './migrations/20261121030000-create-parcels.js';
import type { Parcel } from './parcel.entity.js';

const parcelSeeds = defineSeeds<Parcel>({
  table: 'parcels',
  key: ['id'],
  create: ({ userId, index, sample }) => [
    { id: sample.id(sample.date()), ownerId: userId, name: `Parcel ${index + 1}` },
  ],
});

/** The model of the specs of this library and of database-dev: one table with row-level security. */
export const sampleModel: Model = {
  migrations: [createParcels],
  backfills: [],
  seeds: { users: ['user_ada', 'user_grace', 'user_linus'], tables: [parcelSeeds] },
  cachedTables: ['parcels'],
  folder: new URL('./', import.meta.url),
  loadEntities: async () => [(await import('./parcel.entity.js')).Parcel],
  loadClasses: async () => Object.fromEntries([(await import('./parcel.entity.js')).parcelClasses]),
};
