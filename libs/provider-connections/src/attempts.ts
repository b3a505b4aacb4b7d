import { randomUUID } from 'node:crypto';
import { type Database, Problem } from '@airlock/service';
import type { Keyring, Place } from './keyring.js';
import { type Proof, Provider, type Tokens } from './provider.js';
import { ProviderError } from './provider-error.js';
import type { Providers } from './providers.js';

/** From the start to the return, and from there to the confirmation. */
const LIFETIME = `interval '10 minutes'`;

const START = `INSERT INTO provider_connection_attempts (owner_id, provider, id, phase, sealed, expires_at)
  VALUES (current_setting('app.user_id'), $1, $2, 'started', $3, now() + ${LIFETIME})
  ON CONFLICT (owner_id, provider) DO UPDATE
    SET id = excluded.id, phase = excluded.phase, sealed = excluded.sealed, expires_at = excluded.expires_at
  RETURNING expires_at`;
/** Exactly one caller uses up a state. */
const RETURN = `UPDATE provider_connection_attempts SET phase = 'returned'
  WHERE provider = $1 AND id = $2 AND phase = 'started' AND expires_at > now() RETURNING sealed`;
const FINISH = `UPDATE provider_connection_attempts SET phase = 'finished', sealed = $3, expires_at = now() + ${LIFETIME}
  WHERE provider = $1 AND id = $2 AND phase = 'returned' RETURNING id`;
const TAKE = `DELETE FROM provider_connection_attempts
  WHERE provider = $1 AND id = $2 AND phase = 'finished' AND expires_at > now() RETURNING sealed`;
const CONNECT = `INSERT INTO provider_connections (owner_id, provider, id, account, status, sealed_tokens, expires_at)
  VALUES (current_setting('app.user_id'), $1, $2, $3, 'active', $4, $5)
  ON CONFLICT (owner_id, provider) DO UPDATE
    SET id = excluded.id, account = excluded.account, status = excluded.status, sealed_tokens = excluded.sealed_tokens,
        expires_at = excluded.expires_at, claimed_until = NULL, updated_at = now()`;

/** Whose attempt a state or confirmation belongs to. Only a key of this environment can mint one. */
interface Ticket {
  readonly userId: string;
  readonly id: string;
}

interface Finished {
  readonly account: string;
  readonly tokens: Tokens;
}

/** Why a return led to nothing, for the page of the application. */
export type ReturnError = 'invalid_state' | 'access_denied' | 'failed';

export type ReturnOutcome =
  { readonly confirmation: string } | { readonly error: ReturnError; readonly reason: string };

export interface AttemptsOptions {
  readonly database: Database;
  readonly keyring: Keyring;
  readonly providers: Providers;
}

/** How a user connects an account: starts, comes back from the provider, and confirms. */
export class Attempts {
  readonly #database: Database;
  readonly #keyring: Keyring;
  readonly #providers: Providers;

  constructor({ database, keyring, providers }: AttemptsOptions) {
    this.#database = database;
    this.#keyring = keyring;
    this.#providers = providers;
  }

  /**
   * Ends an earlier attempt of the user at this provider.
   *
   * @throws Problem not-found, dependency-unavailable
   */
  async start(userId: string, name: string): Promise<{ authorizationUrl: string; expiresAt: Date }> {
    const provider = this.#providers.get(name);
    const ticket: Ticket = { userId, id: randomUUID() };
    const proof = Provider.createProof();
    const state = this.#keyring.seal(ticket, ['state', name]);
    const url = await provider.describeAuthorization(state, proof).catch(reportUnavailable);
    const sealed = this.#keyring.seal(proof, placeOf('proof', name, ticket));
    const [row] = await this.#database.asUser(userId, (tx) =>
      tx.query<{ expires_at: Date }[]>(START, [name, ticket.id, sealed]),
    );
    if (!row) throw new Error('an insert returned no row');
    return { authorizationUrl: url.href, expiresAt: row.expires_at };
  }

  /**
   * A user comes back from the provider. The state says whose attempt it is; it does not say who the visitor is, so this
   * connects nothing: only the user with the confirmation does.
   *
   * @param query of the request, as it arrived
   * @throws Problem not-found
   */
  async receive(name: string, query: string): Promise<ReturnOutcome> {
    const provider = this.#providers.get(name);
    const [state = '', ...others] = new URLSearchParams(query).getAll('state');
    const ticket = this.#keyring.open(state, ['state', name]) as Ticket | undefined;
    if (!ticket || others.length > 0) return invalid('state-unknown');
    const proof = await this.#useUp(name, ticket);
    if (!proof) return invalid('state-used-or-expired');
    try {
      const finished = await provider.exchange(query, state, proof);
      // The tokens of a replaced attempt are dropped: to revoke them could end the connection that the user has.
      if (!(await this.#finish(name, ticket, finished))) return invalid('attempt-replaced');
      return { confirmation: this.#keyring.seal(ticket, ['confirmation', name]) };
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      return { error: error.failure === 'denied' ? 'access_denied' : 'failed', reason: `provider-${error.failure}` };
    }
  }

  /**
   * Connects the account with which the attempt ended. A confirmation of another user's attempt finds nothing.
   *
   * @throws Problem not-found
   */
  async confirm(userId: string, name: string, confirmation: string): Promise<void> {
    const ticket = this.#keyring.open(confirmation, ['confirmation', name]) as Ticket | undefined;
    if (ticket?.userId !== userId) throw new Problem('not-found');
    await this.#database.asUser(userId, async (tx) => {
      const [[row]] = await tx.query<[{ sealed: string }[]]>(TAKE, [name, ticket.id]);
      const finished = row && this.#keyring.open(row.sealed, placeOf('finished', name, ticket));
      if (!finished) throw new Problem('not-found');
      const { account, tokens } = finished as Finished;
      const sealed = this.#keyring.seal(tokens, ['tokens', userId, name, ticket.id]);
      const expiresAt = tokens.expiresAt === undefined ? null : new Date(tokens.expiresAt);
      await tx.query(CONNECT, [name, ticket.id, account, sealed, expiresAt]);
    });
  }

  async #useUp(name: string, ticket: Ticket): Promise<Proof | undefined> {
    const [[row]] = await this.#database.asUser(ticket.userId, (tx) =>
      tx.query<[{ sealed: string }[]]>(RETURN, [name, ticket.id]),
    );
    return row && (this.#keyring.open(row.sealed, placeOf('proof', name, ticket)) as Proof | undefined);
  }

  async #finish(name: string, ticket: Ticket, finished: Finished): Promise<boolean> {
    const sealed = this.#keyring.seal(finished, placeOf('finished', name, ticket));
    const [rows] = await this.#database.asUser(ticket.userId, (tx) =>
      tx.query<[object[]]>(FINISH, [name, ticket.id, sealed]),
    );
    return rows.length > 0;
  }
}

function placeOf(purpose: 'proof' | 'finished', provider: string, { userId, id }: Ticket): Place {
  return [purpose, userId, provider, id];
}

function invalid(reason: string): ReturnOutcome {
  return { error: 'invalid_state', reason };
}

function reportUnavailable(cause: unknown): never {
  throw new Problem('dependency-unavailable', { detail: 'The provider is unavailable.', cause });
}
