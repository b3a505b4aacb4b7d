import type { Model } from '../model/product-model.js';
import { createParcels } from './migrations/20261121030000-create-parcels.js';

const EPOCH_MS = Date.UTC(2026, 0, 1);
const USERS = ['user_ada', 'user_grace', 'user_linus'];

/** The model of the specs of this library and of database-dev: one table with row-level security. */
export const sampleModel: Model = {
  migrations: [createParcels],
  backfills: [],
  seedRows: {
    sql: `
      INSERT INTO public.parcels (id, owner_id, name)
      SELECT id, owner_id, name FROM jsonb_to_recordset($1::jsonb) AS row (id uuid, owner_id text, name text)
          ON CONFLICT (id) DO NOTHING`,
    createRow(index) {
      const time = (EPOCH_MS + index).toString(16).padStart(12, '0');
      const id = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
      const userId = USERS[index % USERS.length] as string;
      return { userId, values: { id, owner_id: userId, name: `Parcel ${index + 1}` } };
    },
  },
  cachedTables: ['parcels'],
  folder: new URL('./', import.meta.url),
  loadEntities: async () => [(await import('./parcel.entity.js')).Parcel],
  loadClasses: async () => Object.fromEntries([(await import('./parcel.entity.js')).parcelClasses]),
};
