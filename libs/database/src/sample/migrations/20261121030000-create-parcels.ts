import { defineMigration } from '../../model/migration.js';

export const createParcels = defineMigration({
  name: '20261121030000-create-parcels',
  phase: 'expand',
  statements: [
    {
      sql: `CREATE TABLE public.parcels (
        id uuid NOT NULL DEFAULT uuidv7(),
        owner_id text NOT NULL,
        name text NOT NULL,
        attributes jsonb NOT NULL DEFAULT '{}',
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT parcels_pkey PRIMARY KEY (id),
        CONSTRAINT parcels_owner_id_length CHECK (char_length(owner_id) BETWEEN 1 AND 255),
        CONSTRAINT parcels_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
        CONSTRAINT parcels_attributes_object CHECK (jsonb_typeof(attributes) = 'object'),
        CONSTRAINT parcels_version_positive CHECK (version > 0)
      )`,
    },
    // Pages go by (created_at, id) within an owner, in either direction.
    `CREATE INDEX parcels_owner_id_created_at_id_idx ON public.parcels (owner_id, created_at, id)`,
    `ALTER TABLE public.parcels ENABLE ROW LEVEL SECURITY`,
    // The owner of the table is filtered too: a service that by mistake connects as the owner still sees nothing.
    `ALTER TABLE public.parcels FORCE ROW LEVEL SECURITY`,
    // Without a user the setting is NULL or '' and no row matches: owner_id is never empty.
    `CREATE POLICY parcels_owner ON public.parcels
      USING (owner_id = current_setting('app.user_id', true))
      WITH CHECK (owner_id = current_setting('app.user_id', true))`,
    `CREATE POLICY parcels_system ON public.parcels TO airlock_system USING (true) WITH CHECK (true)`,
  ],
});
