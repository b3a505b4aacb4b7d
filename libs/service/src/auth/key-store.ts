import {
  createLocalJWKSet,
  errors,
  type CryptoKey,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from 'jose';
import { TokenRefusal } from '../failures/token-refusal.js';
import { Problem } from '../problems/problem.js';

export type LoadKeys = () => Promise<JSONWebKeySet>;
type Resolve = ReturnType<typeof createLocalJWKSet>;

export interface KeyStoreOptions {
  readonly load: LoadKeys;
  /** Called when the keys have changed. */
  readonly onChange?: () => void;
  /** Called when the keys could not be loaded. The old keys stay in use. */
  readonly onFailure?: (error: unknown) => void;
  /** Limits how often tokens with invented key ids cause a load. 30 s without it. */
  readonly cooldownMs?: number;
  readonly now?: () => number;
}

/** Keys are reloaded after this time, so that a revoked key is noticed. */
export const MAX_AGE_MS = 10 * 60_000;
export const COOLDOWN_MS = 30_000;
/** The cooldown before any key was loaded. */
const FIRST_COOLDOWN_MS = 1_000;

/** The public keys of the issuer: cached, reloaded for an unknown key id, and kept while the issuer is unavailable. */
export class KeyStore {
  readonly #options: Required<KeyStoreOptions>;
  #resolve: Resolve | undefined;
  #text = '';
  #loadedAt = -Infinity;
  #askedAt = -Infinity;
  #loading: Promise<void> | undefined;

  constructor(options: KeyStoreOptions) {
    this.#options = {
      onChange: () => {},
      onFailure: () => {},
      cooldownMs: COOLDOWN_MS,
      now: () => performance.now(),
      ...options,
    };
  }

  /** Finds a key for jose by `kid` and `alg`. No other part of the token selects a key. */
  readonly getKey = async (header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> => {
    await this.#refreshIfOld();
    try {
      return await this.#find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await this.#refresh())) throw error;
      return this.#find(header, token);
    }
  };

  /** Refreshes old keys even when every token came from the cache, so that a revoked key is noticed. */
  touch(): void {
    if (this.#options.now() - this.#loadedAt >= MAX_AGE_MS) void this.#refresh();
  }

  async #find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    if (!this.#resolve) throw createUnavailable();
    return this.#resolve({ alg: header.alg, kid: header.kid }, token);
  }

  async #refreshIfOld(): Promise<void> {
    if (this.#options.now() - this.#loadedAt < MAX_AGE_MS) return;
    const refreshed = this.#refresh();
    // Old keys stay in use while new ones load. Only the first load is awaited.
    if (!this.#resolve) await refreshed;
  }

  /**
   * @returns whether the issuer was asked. It is not asked within the cooldown, and callers that wait share one
   * request.
   */
  async #refresh(): Promise<boolean> {
    const now = this.#options.now();
    const cooldownMs = this.#resolve ? this.#options.cooldownMs : FIRST_COOLDOWN_MS;
    if (!this.#loading && now - this.#askedAt < cooldownMs) return false;
    this.#askedAt = this.#loading ? this.#askedAt : now;
    this.#loading ??= this.#load().finally(() => (this.#loading = undefined));
    await this.#loading;
    return true;
  }

  async #load(): Promise<void> {
    try {
      const keys = await this.#options.load();
      const resolve = createLocalJWKSet(keys);
      // A failing issuer may return an empty key set; a real rotation never does.
      if (keys.keys.length === 0 && this.#resolve)
        throw new Error('AUTH_JWKS_URL: the key set is empty; expected at least one key');
      const text = JSON.stringify(keys);
      if (this.#resolve && text !== this.#text) this.#options.onChange();
      this.#resolve = resolve;
      this.#text = text;
      this.#loadedAt = this.#options.now();
    } catch (error) {
      this.#options.onFailure(error);
    }
  }
}

/** Missing keys are our failure: every other error makes the token invalid. */
function createUnavailable(): Problem {
  const headers = { 'retry-after': '5' };
  return new Problem('dependency-unavailable', { headers, cause: new TokenRefusal('keys-unavailable') });
}
