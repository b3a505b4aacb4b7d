import { defineMigration } from '@airlock/database/model';

/** Each table has the same two policies: the rows of the user of the transaction, and all rows for asSystem. */
const protect = (table: string): string[] => [
  `ALTER TABLE public.${table} ENABLE ROW LEVEL SECURITY`,
  `ALTER TABLE public.${table} FORCE ROW LEVEL SECURITY`,
  `CREATE POLICY ${table}_owner ON public.${table}
      USING (owner_id = current_setting('app.user_id', true))
      WITH CHECK (owner_id = current_setting('app.user_id', true))`,
  `CREATE POLICY ${table}_system ON public.${table} TO airlock_system USING (true) WITH CHECK (true)`,
];

export const createProviderConnections = defineMigration({
  name: '20261127120000-create-provider-connections',
  phase: 'expand',
  statements: [
    {
      sql: `CREATE TABLE public.provider_connections (
        id uuid NOT NULL DEFAULT uuidv7(),
        owner_id text NOT NULL,
        provider text NOT NULL,
        account text NOT NULL,
        status text NOT NULL,
        sealed_tokens text,
        expires_at timestamptz,
        claimed_until timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT provider_connections_pkey PRIMARY KEY (id),
        CONSTRAINT provider_connections_owner_id_provider_key UNIQUE (owner_id, provider),
        CONSTRAINT provider_connections_owner_id_length CHECK (char_length(owner_id) BETWEEN 1 AND 255),
        CONSTRAINT provider_connections_provider_length CHECK (char_length(provider) BETWEEN 1 AND 40),
        CONSTRAINT provider_connections_account_length CHECK (char_length(account) BETWEEN 1 AND 255),
        CONSTRAINT provider_connections_status_known CHECK (status IN ('active', 'broken')),
        CONSTRAINT provider_connections_sealed_tokens_active CHECK ((status = 'active') = (sealed_tokens IS NOT NULL))
      )`,
    },
    // The job that refreshes tokens looks for those that expire soon.
    `CREATE INDEX provider_connections_expires_at_idx ON public.provider_connections (expires_at)`,
    ...protect('provider_connections'),
    {
      sql: `CREATE TABLE public.provider_connection_attempts (
        owner_id text NOT NULL,
        provider text NOT NULL,
        id uuid NOT NULL DEFAULT uuidv7(),
        phase text NOT NULL,
        sealed text NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT provider_connection_attempts_pkey PRIMARY KEY (owner_id, provider),
        CONSTRAINT provider_connection_attempts_owner_id_length CHECK (char_length(owner_id) BETWEEN 1 AND 255),
        CONSTRAINT provider_connection_attempts_provider_length CHECK (char_length(provider) BETWEEN 1 AND 40),
        CONSTRAINT provider_connection_attempts_phase_known CHECK (phase IN ('started', 'returned', 'finished'))
      )`,
    },
    `CREATE INDEX provider_connection_attempts_expires_at_idx ON public.provider_connection_attempts (expires_at)`,
    ...protect('provider_connection_attempts'),
  ],
});
