import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@airlock/service';
import type { Keyring, Place } from './keyring.js';
import type { Provider, Tokens } from './provider.js';
import { ProviderError } from './provider-error.js';
import { revokeQuietly } from './revoke-quietly.js';

/** A connection that one process refreshes, with the tokens that it found. */
export interface Claimed {
  readonly id: string;
  readonly owner_id: string;
  readonly provider: string;
  readonly sealed_tokens: string | null;
}

/** `waiting`: it has no refresh token and has not expired. `replaced`: meanwhile the user deleted or replaced it. */
export type RenewalOutcome = 'refreshed' | 'waiting' | 'broken' | 'failed' | 'replaced';

/** The queries of a transaction. */
interface Session {
  query<T>(text: string, values: unknown[]): Promise<T>;
}

/**
 * Each statement changes the row only while it has the tokens that were refreshed: not after the user has deleted the
 * connection or connected the account again.
 */
const SAVE = `UPDATE provider_connections SET sealed_tokens = $3, expires_at = $4, claimed_until = NULL, updated_at = now()
  WHERE id = $1 AND sealed_tokens = $2 RETURNING id`;
const BREAK = `UPDATE provider_connections
  SET status = 'broken', sealed_tokens = NULL, expires_at = NULL, claimed_until = NULL, updated_at = now()
  WHERE id = $1 AND sealed_tokens = $2`;
const POSTPONE = `UPDATE provider_connections SET claimed_until = now() + interval '1 minute'
  WHERE id = $1 AND sealed_tokens = $2`;
const FIND = `SELECT FROM provider_connections WHERE provider = $1`;
const CLAIM = `UPDATE provider_connections SET claimed_until = now() + $2 * interval '1 millisecond' WHERE id = $1`;

/** Beside the requests to the provider: the statements before and after them. */
const SLACK_MS = 30_000;
const SAVE_ATTEMPTS = 6;
const FIRST_PAUSE_MS = 100;

export interface RenewalOptions {
  readonly database: Database;
  readonly keyring: Keyring;
  /** The time limit of one request to a provider. */
  readonly requestTimeoutMs: number;
}

/**
 * Refreshes tokens. A provider may accept a refresh token only once and answer with the next one, so exactly one process
 * refreshes a connection, and its answer is saved at once. No transaction is open during the request: it could be
 * repeated, and the second request would have the old token.
 */
export class Renewal {
  readonly #options: RenewalOptions;

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  /** Longer than the requests of {@link renew}: discovery and refresh. */
  get claimMs(): number {
    return 2 * this.#options.requestTimeoutMs + SLACK_MS;
  }

  async claim(tx: Session, id: string): Promise<void> {
    await tx.query(CLAIM, [id, this.claimMs]);
  }

  /** Refreshes a connection that this process has claimed. */
  async renew(provider: Provider, row: Claimed, tokens: Tokens): Promise<RenewalOutcome> {
    if (tokens.refreshToken === undefined) {
      const hasExpired = (tokens.expiresAt ?? Infinity) <= Date.now();
      return hasExpired ? this.#change(row, BREAK, 'broken') : this.#change(row, POSTPONE, 'waiting');
    }
    let next: Tokens;
    try {
      next = await provider.refresh(tokens.refreshToken);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      return error.failure === 'refused' ? this.#change(row, BREAK, 'broken') : this.#change(row, POSTPONE, 'failed');
    }
    if (await this.#save(row, next)) return 'refreshed';
    // Where the user has connected the account again, to revoke could end the new connection.
    if (!(await this.#isConnected(row))) await revokeQuietly(provider, next);
    return 'replaced';
  }

  /** Repeated, because the provider no longer accepts the token in the row. */
  async #save(row: Claimed, tokens: Tokens): Promise<boolean> {
    const sealed = this.#options.keyring.seal(tokens, claimOf(row));
    const expiresAt = tokens.expiresAt === undefined ? null : new Date(tokens.expiresAt);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return (await this.#run(row, SAVE, [sealed, expiresAt])) > 0;
      } catch (error) {
        if (attempt === SAVE_ATTEMPTS) throw error;
        await sleep(FIRST_PAUSE_MS * 2 ** attempt);
      }
    }
  }

  async #isConnected({ owner_id: userId, provider }: Claimed): Promise<boolean> {
    const work = (tx: Session) => tx.query<object[]>(FIND, [provider]);
    return (await this.#options.database.asUser(userId, work)).length > 0;
  }

  async #change<T extends RenewalOutcome>(row: Claimed, statement: string, outcome: T): Promise<T> {
    await this.#run(row, statement);
    return outcome;
  }

  /** @returns the number of changed rows */
  async #run({ id, owner_id: userId, sealed_tokens: known }: Claimed, text: string, values: unknown[] = []) {
    const work = async (tx: Session) => (await tx.query<[object[], number]>(text, [id, known, ...values]))[1];
    return this.#options.database.asUser(userId, work);
  }
}

/** The place of the tokens of a connection. */
export function claimOf({ owner_id: userId, provider, id }: Claimed): Place {
  return ['tokens', userId, provider, id];
}
