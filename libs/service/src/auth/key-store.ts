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
  /** Told when the keys have changed. */
  readonly onChange?: () => void;
  /** Told when they could not be loaded; the old ones serve on. */
  readonly onFailure?: (error: unknown) => void;
  readonly now?: () => number;
}

/** Loaded again after this, so that a withdrawn key ends. */
export const MAX_AGE_MS = 10 * 60_000;
/** Tokens with invented key ids make the provider be asked at most this often. */
export const COOLDOWN_MS = 30_000;
/** While there are no keys at all. */
const FIRST_COOLDOWN_MS = 1_000;

/** The public keys of the issuer: cached, asked for again on an unknown key id, and kept when the issuer is away. */
export class KeyStore {
  readonly #options: Required<KeyStoreOptions>;
  #resolve: Resolve | undefined;
  #text = '';
  #loadedAt = -Infinity;
  #askedAt = -Infinity;
  #loading: Promise<void> | undefined;

  constructor(options: KeyStoreOptions) {
    this.#options = { onChange: () => {}, onFailure: () => {}, now: () => performance.now(), ...options };
  }

  /** A key for jose. Nothing in the token but `kid` and `alg` has a say in which. */
  readonly getKey = async (header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> => {
    await this.#refreshIfOld();
    try {
      return await this.#find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await this.#refresh())) throw error;
      return this.#find(header, token);
    }
  };

  /** For who uses no key and yet is to hear when one is withdrawn. */
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
    // Old keys serve while new ones are on their way; only the first load is waited for.
    if (!this.#resolve) await refreshed;
  }

  /** Whether the provider was asked: not again within the cooldown, and once for all who wait. */
  async #refresh(): Promise<boolean> {
    const now = this.#options.now();
    const cooldownMs = this.#resolve ? COOLDOWN_MS : FIRST_COOLDOWN_MS;
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
      // An issuer that is half away tells of no key at all: one that withdraws a key tells of another.
      if (keys.keys.length === 0 && this.#resolve)
        throw new Error('AUTH_JWKS_URL: holds no key; expected at least one');
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
