import { classify, identifier, inCopy, person, personal } from '@airlock/database/model';
import { Check, Column, CreateDateColumn, Entity, Index, PrimaryColumn, Unique, UpdateDateColumn } from 'typeorm';

/** The account of a user at a provider. Its tokens are encrypted; see docs/connections.md. */
@Entity({ name: 'provider_connections', schema: 'public' })
@Unique('provider_connections_owner_id_provider_key', ['ownerId', 'provider'])
@Check('provider_connections_owner_id_length', `((char_length(owner_id) >= 1) AND (char_length(owner_id) <= 255))`)
@Check('provider_connections_provider_length', `((char_length(provider) >= 1) AND (char_length(provider) <= 40))`)
@Check('provider_connections_account_length', `((char_length(account) >= 1) AND (char_length(account) <= 255))`)
@Check('provider_connections_status_known', `(status = ANY (ARRAY['active'::text, 'broken'::text]))`)
@Check('provider_connections_sealed_tokens_active', `((status = 'active'::text) = (sealed_tokens IS NOT NULL))`)
@Index('provider_connections_expires_at_idx', ['expiresAt'])
export class ProviderConnectionRecord {
  @PrimaryColumn('uuid', { default: () => 'uuidv7()', primaryKeyConstraintName: 'provider_connections_pkey' })
  id!: string;

  @Column('text', { name: 'owner_id' })
  ownerId!: string;

  @Column('text')
  provider!: string;

  /** The identifier of the account at the provider (`sub`). */
  @Column('text')
  account!: string;

  /** `broken`: the provider no longer accepts the tokens, so there are none. */
  @Column('text')
  status!: 'active' | 'broken';

  @Column('text', { name: 'sealed_tokens', nullable: true })
  sealedTokens!: string | null;

  /** Of the access token; null if the provider does not say. */
  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  /** Until then a process refreshes the tokens, or waits after a failure. */
  @Column('timestamptz', { name: 'claimed_until', nullable: true })
  claimedUntil!: Date | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  updatedAt!: Date;
}

/** A copy has no token of a user, and therefore no connection that works. */
export const providerConnectionClasses = classify<ProviderConnectionRecord>('provider_connections', {
  id: 'internal',
  owner_id: personal(person('user_')),
  provider: 'internal',
  account: personal(identifier('account_')),
  status: inCopy('internal', 'broken'),
  sealed_tokens: 'secret',
  expires_at: 'secret',
  claimed_until: 'secret',
  created_at: 'internal',
  updated_at: 'internal',
});
