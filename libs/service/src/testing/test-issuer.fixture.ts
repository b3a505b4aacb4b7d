import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

export const PARTY = 'https://app.example.com';
const HOUR_SECONDS = 3_600;

/** A real issuer on a free port, with its own keys, a key set over HTTP, and any valid or invalid token. */
export class TestIssuer {
  /** How often the key set was requested. */
  requests = 0;
  lastTraceparent: string | undefined;
  keys: JWK[] = [];
  isFailing = false;
  readonly #server: Server;
  #private = new Map<string, CryptoKey>();

  static async start(): Promise<TestIssuer> {
    const issuer = new TestIssuer();
    await issuer.addKey('first', 'ES256');
    await new Promise<void>((resolve) => issuer.#server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  private constructor() {
    this.#server = createServer((request, response) => {
      this.requests += 1;
      this.lastTraceparent = request.headers['traceparent'] as string | undefined;
      response.writeHead(this.isFailing ? 500 : 200, { 'content-type': 'application/json', connection: 'close' });
      response.end(JSON.stringify({ keys: this.keys }));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get auth() {
    return { issuer: this.url, jwksUrl: `${this.url}/jwks.json`, authorizedParties: [PARTY], rolesClaim: 'roles' };
  }

  async addKey(kid: string, alg: string): Promise<CryptoKey> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    this.keys.push({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' });
    this.#private.set(kid, privateKey);
    return privateKey;
  }

  /** A valid token, except for the claims given here. `undefined` removes a claim. */
  async sign(
    claims: JWTPayload = {},
    { kid = 'first', header = {} }: { kid?: string; header?: object } = {},
  ): Promise<string> {
    const key = this.#private.get(kid);
    const alg = this.keys.find((jwk) => jwk.kid === kid)?.alg ?? 'ES256';
    if (!key) throw new Error(`${kid}: no such key`);
    const now = Math.floor(Date.now() / 1_000);
    const payload = { iss: this.url, sub: 'user_1', azp: PARTY, iat: now, exp: now + HOUR_SECONDS, ...claims };
    return new SignJWT(payload).setProtectedHeader({ alg, kid, ...header }).sign(key);
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
