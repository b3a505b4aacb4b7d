import type { Constraints } from '@airlock/service';

/** No request can violate one of these: callers choose no value of a row. */
export const connectionConstraints: Constraints = Object.fromEntries(
  [
    'provider_connections_pkey',
    'provider_connections_owner_id_provider_key',
    'provider_connections_owner_id_length',
    'provider_connections_provider_length',
    'provider_connections_account_length',
    'provider_connections_status_known',
    'provider_connections_sealed_tokens_active',
    'provider_connection_attempts_pkey',
    'provider_connection_attempts_owner_id_length',
    'provider_connection_attempts_provider_length',
    'provider_connection_attempts_phase_known',
  ].map((name) => [name, 'internal'] as const),
);
