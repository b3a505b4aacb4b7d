import type { Database } from '@airlock/service';
import type { Keyring } from './keyring.js';
import type { Tokens } from './provider.js';
import type { Providers } from './providers.js';
import { type Claimed, claimOf, type Renewal, type RenewalOutcome } from './renewal.js';

const CLAIM_DUE = `UPDATE provider_connections SET claimed_until = now() + $2 * interval '1 millisecond'
  WHERE id IN (
    SELECT id FROM provider_connections
     WHERE expires_at < now() + interval '10 minutes' AND (claimed_until IS NULL OR claimed_until < now())
       AND provider = ANY ($3)
     ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING id, owner_id, provider, sealed_tokens`;
const FIND_OLD = `SELECT id, owner_id, provider, sealed_tokens FROM provider_connections
  WHERE sealed_tokens IS NOT NULL AND NOT starts_with(sealed_tokens, $2) AND (claimed_until IS NULL OR claimed_until < now())
  ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED`;
const RESEAL = `UPDATE provider_connections SET sealed_tokens = $2 WHERE id = $1`;
const REMOVE_EXPIRED = `DELETE FROM provider_connection_attempts WHERE expires_at < now() - interval '1 hour'`;

export interface RefreshConnectionsOptions {
  readonly database: Database;
  readonly keyring: Keyring;
  readonly providers: Providers;
  readonly renewal: Renewal;
  /** Of connections in one run. */
  readonly limit?: number;
}

/** Refreshed at once, so that a claim need not outlast the requests of others. */
const BATCH = 10;

/** The number of connections by outcome. `unreadable`: no key of `CONNECTION_KEYS` opens their tokens. */
export type ConnectionsReport = Readonly<Record<RenewalOutcome | 'unreadable' | 'resealed', number>>;

/**
 * Refreshes the connections of all users whose tokens expire soon, encrypts tokens of an older key with the current one,
 * and removes attempts that were not completed. For a schedule; several at once share the work.
 */
export async function refreshConnections(options: RefreshConnectionsOptions): Promise<ConnectionsReport> {
  const { database, keyring, providers, renewal, limit = 100 } = options;
  const report = { refreshed: 0, waiting: 0, broken: 0, failed: 0, replaced: 0, unreadable: 0, resealed: 0 };
  if (providers.names.length === 0) return report;
  const renew = async (row: Claimed) => {
    const tokens = keyring.open(row.sealed_tokens ?? '', claimOf(row)) as Tokens | undefined;
    report[tokens ? await renewal.renew(providers.get(row.provider), row, tokens) : 'unreadable'] += 1;
  };
  for (let done = 0, size = BATCH; done < limit && size === BATCH; done += size) {
    const rows = await database.asSystem('connections: refresh tokens that expire soon', async (tx) => {
      await tx.query(REMOVE_EXPIRED);
      return (await tx.query<[Claimed[]]>(CLAIM_DUE, [BATCH, renewal.claimMs, providers.names]))[0];
    });
    size = rows.length;
    await Promise.all(rows.map(renew));
  }
  report.resealed = await resealConnections(options);
  return report;
}

/** Encrypts tokens of an older key with the current one. @returns the number of changed connections */
export async function resealConnections({
  database,
  keyring,
  limit = 100,
}: RefreshConnectionsOptions): Promise<number> {
  return database.asSystem('connections: encrypt tokens with the current key', async (tx) => {
    const rows = await tx.query<Claimed[]>(FIND_OLD, [limit, keyring.currentPrefix]);
    let count = 0;
    for (const row of rows) {
      const tokens = keyring.open(row.sealed_tokens ?? '', claimOf(row));
      if (!tokens) continue;
      await tx.query(RESEAL, [row.id, keyring.seal(tokens, claimOf(row))]);
      count += 1;
    }
    return count;
  });
}

/** Keeps the connections of all users usable, for a schedule. */
export class ConnectionUpkeep {
  readonly #parts: RefreshConnectionsOptions;

  constructor(parts: RefreshConnectionsOptions) {
    this.#parts = parts;
  }

  run(): Promise<ConnectionsReport> {
    return refreshConnections(this.#parts);
  }
}
