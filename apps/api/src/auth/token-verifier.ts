import { jwtVerify, type JWTPayload } from 'jose';
import { Problem } from '../http/problem.js';
import { KeyStore, type KeyStoreOptions, type LoadKeys } from './key-store.js';

export interface TokenRules {
  readonly issuer: string;
  /** A token is meant for us if its audience or its authorized party is one of these. */
  readonly parties: readonly string[];
  readonly loadKeys: LoadKeys;
}

/** Public-key algorithms only: with a shared secret whoever checks a token could make one. */
const ALGORITHMS = ['ES256', 'RS256', 'EdDSA'];
const CLOCK_SKEW_SECONDS = 30;
const MAX_TOKEN_LENGTH = 8_192;
const MAX_CACHED = 10_000;
/** What the database takes as an owner, without control characters. */
const SUBJECT = /^[^\u0000-\u001f\u007f]{1,255}$/;

/** Verifies a token once in its life: a signature costs more than all the rest of a read. */
export class TokenVerifier {
  readonly #rules: TokenRules;
  readonly #keys: KeyStore;
  /** Users by token, oldest first. Emptied when the issuer changes its keys. */
  readonly #verified = new Map<string, { userId: string; expiresAtMs: number }>();

  constructor(rules: TokenRules, options: Pick<KeyStoreOptions, 'onFailure' | 'now'> = {}) {
    this.#rules = rules;
    const onChange = () => this.#verified.clear();
    this.#keys = new KeyStore({ load: rules.loadKeys, onChange, ...options });
  }

  /** The user of a token that was verified before and has not expired. */
  recall(token: string): string | undefined {
    const known = this.#verified.get(token);
    if (!known) return undefined;
    this.#keys.touch();
    if (known.expiresAtMs > Date.now()) return known.userId;
    this.#verified.delete(token);
    return undefined;
  }

  /** @throws Problem unauthenticated, whatever is wrong with the token */
  async verify(token: string): Promise<string> {
    if (token.length > MAX_TOKEN_LENGTH) throw unauthenticated(new Error('the token is too long'));
    const claims = await this.#readClaims(token);
    const userId = this.#assertClaims(claims);
    this.#remember(token, { userId, expiresAtMs: (claims.exp ?? 0) * 1_000 });
    return userId;
  }

  async #readClaims(token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, this.#keys.getKey, {
        algorithms: ALGORITHMS,
        issuer: this.#rules.issuer,
        clockTolerance: CLOCK_SKEW_SECONDS,
        requiredClaims: ['exp', 'sub'],
      });
      return payload;
    } catch (error) {
      // That there are no keys to judge by is no fault of the token. All else is, or of the key it names: jose passes on
      // what the platform throws at either.
      if (error instanceof Problem) throw error;
      throw unauthenticated(error);
    }
  }

  #assertClaims({ sub, aud, azp }: JWTPayload): string {
    const parties = [...(Array.isArray(aud) ? aud : [aud]), azp];
    if (!parties.some((party) => typeof party === 'string' && this.#rules.parties.includes(party))) {
      throw unauthenticated(new Error('the token is meant for somebody else'));
    }
    if (typeof sub !== 'string' || !SUBJECT.test(sub))
      throw unauthenticated(new Error('the subject cannot own anything'));
    return sub;
  }

  #remember(token: string, entry: { userId: string; expiresAtMs: number }): void {
    const [oldest] = this.#verified.size >= MAX_CACHED ? this.#verified.keys() : [];
    if (oldest !== undefined) this.#verified.delete(oldest);
    this.#verified.set(token, entry);
  }
}

export function unauthenticated(cause?: unknown): Problem {
  const challenge = cause ? 'Bearer error="invalid_token"' : 'Bearer';
  return new Problem('unauthenticated', { cause, headers: { 'www-authenticate': challenge } });
}
