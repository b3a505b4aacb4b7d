import { classify } from '@airlock/database/model';
import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A connection that a user has started and not confirmed yet: one for each user and provider. */
@Entity({ name: 'provider_connection_attempts', schema: 'public' })
@Check(
  'provider_connection_attempts_owner_id_length',
  `((char_length(owner_id) >= 1) AND (char_length(owner_id) <= 255))`,
)
@Check(
  'provider_connection_attempts_provider_length',
  `((char_length(provider) >= 1) AND (char_length(provider) <= 40))`,
)
@Check(
  'provider_connection_attempts_phase_known',
  `(phase = ANY (ARRAY['started'::text, 'returned'::text, 'finished'::text]))`,
)
@Index('provider_connection_attempts_expires_at_idx', ['expiresAt'])
export class ProviderConnectionAttemptRecord {
  @PrimaryColumn('text', { name: 'owner_id', primaryKeyConstraintName: 'provider_connection_attempts_pkey' })
  ownerId!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'provider_connection_attempts_pkey' })
  provider!: string;

  /** A new one for each attempt: the state of an earlier one no longer fits. */
  @Column('uuid', { default: () => 'uuidv7()' })
  id!: string;

  /** `returned`: the user came back and the state is used up. `finished`: the tokens wait for the confirmation. */
  @Column('text')
  phase!: 'started' | 'returned' | 'finished';

  /** Encrypted: the code verifier and nonce, later the tokens. */
  @Column('text')
  sealed!: string;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;
}

/** An attempt can be finished by its user alone, within minutes: no row of it is copied. */
export const providerConnectionAttemptClasses = classify<ProviderConnectionAttemptRecord>(
  'provider_connection_attempts',
  { owner_id: 'secret', provider: 'secret', id: 'secret', phase: 'secret', sealed: 'secret', expires_at: 'secret' },
);
