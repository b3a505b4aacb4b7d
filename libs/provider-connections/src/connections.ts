import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, Problem } from '@airlock/service';
import type { Keyring } from './keyring.js';
import type { Tokens } from './provider.js';
import type { Providers } from './providers.js';
import { type Claimed, claimOf, type Renewal } from './renewal.js';
import { revokeQuietly } from './revoke-quietly.js';

const LIST = `SELECT provider, account, status, created_at, updated_at FROM provider_connections ORDER BY provider`;
const READ = `SELECT id, owner_id, provider, status, sealed_tokens, claimed_until > now() AS is_claimed
  FROM provider_connections WHERE provider = $1 FOR UPDATE`;
const DELETE = `DELETE FROM provider_connections WHERE provider = $1 RETURNING id, owner_id, provider, sealed_tokens`;

/** An access token is not given out in its last seconds. */
const MARGIN_MS = 30_000;
const PAUSE_MS = 100;

export interface Connection {
  readonly provider: string;
  /** The identifier of the account at the provider. */
  readonly account: string;
  /** `broken`: the provider no longer accepts the tokens; the user connects the account again. */
  readonly status: 'active' | 'broken';
  readonly createdAt: string;
  readonly updatedAt: string;
}

interface ConnectionRow {
  readonly provider: string;
  readonly account: string;
  readonly status: 'active' | 'broken';
  readonly created_at: Date;
  readonly updated_at: Date;
}

type TokenRow = Claimed & { readonly status: string; readonly is_claimed: boolean | null };

export interface ConnectionsOptions {
  readonly database: Database;
  readonly keyring: Keyring;
  readonly providers: Providers;
  readonly renewal: Renewal;
}

/** The connected accounts of a user. No method but {@link accessToken} gives a token. */
export class Connections {
  readonly #options: ConnectionsOptions;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  async list(userId: string): Promise<Connection[]> {
    const rows = await this.#options.database.asUser(userId, (tx) => tx.query<ConnectionRow[]>(LIST));
    return rows.map(({ created_at, updated_at, ...row }) => ({
      ...row,
      createdAt: created_at.toISOString(),
      updatedAt: updated_at.toISOString(),
    }));
  }

  /** Deletes the connection, and then revokes its tokens at the provider. @throws Problem not-found */
  async delete(userId: string, name: string): Promise<void> {
    const { database, keyring, providers } = this.#options;
    const [[row]] = await database.asUser(userId, (tx) => tx.query<[Claimed[]]>(DELETE, [name]));
    if (!row) throw new Problem('not-found');
    const tokens = row.sealed_tokens === null ? undefined : keyring.open(row.sealed_tokens, claimOf(row));
    const provider = providers.find(name);
    if (tokens && provider) await revokeQuietly(provider, tokens as Tokens);
  }

  /**
   * A token that the provider accepts, for requests in the name of the user. An expired one is refreshed first. Call it
   * outside of transactions: the provider's answer cannot be rolled back.
   *
   * @throws Problem not-found without a connection; conflict if the user must connect the account again;
   *   dependency-unavailable
   */
  async accessToken(userId: string, name: string, { timeoutMs = 10_000 } = {}): Promise<string> {
    const { database, renewal } = this.#options;
    const provider = this.#options.providers.get(name);
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(PAUSE_MS)) {
      const found = await database.asUser(userId, async (tx) => {
        const [row] = await tx.query<TokenRow[]>(READ, [name]);
        if (!row) throw new Problem('not-found');
        if (row.status === 'broken') throw mustReconnect();
        const tokens = this.#open(row);
        if (isUsable(tokens)) return { token: tokens.accessToken };
        if (row.is_claimed) return undefined;
        await renewal.claim(tx, row.id);
        return { row, tokens, token: undefined };
      });
      if (!found) continue;
      if (found.token !== undefined) return found.token;
      const outcome = await renewal.renew(provider, found.row, found.tokens);
      if (outcome === 'broken') throw mustReconnect();
      if (outcome === 'failed') break;
    }
    throw new Problem('dependency-unavailable', { detail: 'The provider is unavailable.' });
  }

  #open(row: Claimed): Tokens {
    const tokens = this.#options.keyring.open(row.sealed_tokens ?? '', claimOf(row));
    if (!tokens)
      throw new Error(`${row.provider}: no key of CONNECTION_KEYS opens the tokens; expected the key that sealed them`);
    return tokens as Tokens;
  }
}

function isUsable({ expiresAt = Infinity, refreshToken }: Tokens): boolean {
  return expiresAt > Date.now() + (refreshToken === undefined ? 0 : MARGIN_MS);
}

function mustReconnect(): Problem {
  return new Problem('conflict', {
    detail: 'The provider no longer accepts the connection. Connect the account again.',
  });
}
