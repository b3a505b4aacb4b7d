import { jwtVerify, type JWTPayload } from 'jose';
import { TokenRefusal, unauthenticated } from '../failures/token-refusal.js';
import { Problem } from '../problems/problem.js';
import { KeyStore, type KeyStoreOptions, type LoadKeys } from './key-store.js';
import { refuseToken } from './refuse-token.js';
import { assertMeantForUs, readRoles, readSubject } from './token-claims.js';

export interface TokenRules {
  readonly issuer: string;
  /** The names of this API: `aud` must contain one of them, and without `aud` `azp` must be one. */
  readonly parties: readonly string[];
  /** The claim with the roles of a caller: its name, or a path with dots. */
  readonly rolesClaim: string;
  readonly loadKeys: LoadKeys;
  /** Between two loads because of an unknown key; the default suits an issuer that is asked over a network. */
  readonly cooldownMs?: number;
}

/** The user that a verified token names. */
export interface Caller {
  readonly userId: string;
  readonly roles: readonly string[];
  /** When its token is no longer accepted. */
  readonly expiresAtMs: number;
}

/** Public-key algorithms only: with a shared secret, a service that verifies tokens could also sign them. */
const ALGORITHMS = ['ES256', 'RS256', 'EdDSA'];
const CLOCK_SKEW_SECONDS = 30;
const MAX_TOKEN_LENGTH = 8_192;
const MAX_CACHED = 10_000;

/** Verifies each token only once, because a signature costs more than the rest of a read. */
export class TokenVerifier {
  readonly #rules: TokenRules;
  readonly #keys: KeyStore;
  /** Callers by token, oldest first. Emptied when the issuer changes its keys. */
  readonly #verified = new Map<string, { caller: Caller; expiresAtMs: number }>();
  /** Counts the changes of the issuer's keys. */
  #generation = 0;

  constructor(rules: TokenRules, options: Pick<KeyStoreOptions, 'onFailure' | 'now'> = {}) {
    this.#rules = rules;
    const onChange = () => {
      this.#generation += 1;
      this.#verified.clear();
    };
    const { loadKeys: load, cooldownMs } = rules;
    this.#keys = new KeyStore({ load, onChange, ...(cooldownMs !== undefined && { cooldownMs }), ...options });
  }

  /** The caller with a token that was verified before and has not expired. */
  recall(token: string): Caller | undefined {
    const known = this.#verified.get(token);
    if (!known) return undefined;
    this.#keys.touch();
    if (known.expiresAtMs > Date.now()) return known.caller;
    this.#verified.delete(token);
    return undefined;
  }

  /** @throws Problem unauthenticated for every invalid token; dependency-unavailable if no keys could be loaded */
  async verify(token: string): Promise<Caller> {
    try {
      if (token.length > MAX_TOKEN_LENGTH) throw new TokenRefusal('token-too-long');
      const generation = this.#generation;
      const claims = await this.#readClaims(token);
      assertMeantForUs(claims, this.#rules.parties);
      const expiresAtMs = (claims.exp ?? 0) * 1_000;
      const caller = {
        userId: readSubject(claims),
        roles: readRoles(claims, this.#rules.rolesClaim),
        expiresAtMs: expiresAtMs + CLOCK_SKEW_SECONDS * 1_000,
      };
      // The key may have been revoked while the signature was verified.
      if (generation === this.#generation) this.#remember(token, { caller, expiresAtMs });
      return caller;
    } catch (error) {
      if (error instanceof Problem) throw error;
      throw unauthenticated(error instanceof TokenRefusal ? error : refuseToken(error, this.#rules.issuer));
    }
  }

  async #readClaims(token: string): Promise<JWTPayload> {
    const { payload } = await jwtVerify(token, this.#keys.getKey, {
      algorithms: ALGORITHMS,
      issuer: this.#rules.issuer,
      clockTolerance: CLOCK_SKEW_SECONDS,
      requiredClaims: ['exp', 'sub'],
    });
    return payload;
  }

  #remember(token: string, entry: { caller: Caller; expiresAtMs: number }): void {
    const [oldest] = this.#verified.size >= MAX_CACHED ? this.#verified.keys() : [];
    if (oldest !== undefined) this.#verified.delete(oldest);
    this.#verified.set(token, entry);
  }
}
