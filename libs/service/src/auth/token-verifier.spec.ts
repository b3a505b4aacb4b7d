import { createHmac, createPublicKey, type JsonWebKey } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose';
import { PARTY, TestIssuer } from '../testing/test-issuer.fixture.js';
import { COOLDOWN_MS, MAX_AGE_MS } from './key-store.js';
import { readLocalRules } from './local-issuer/local-rules.js';
import { TokenVerifier } from './token-verifier.js';

const base64 = (value: object | Buffer) =>
  Buffer.from(value instanceof Buffer ? value : JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1_000);

describe('TokenVerifier', () => {
  let issuer: TestIssuer;
  let verifier: TokenVerifier;

  beforeAll(async () => {
    issuer = await TestIssuer.start();
    await issuer.addKey('rsa', 'RS256');
    await issuer.addKey('ed', 'EdDSA');
    await issuer.addKey('weak', 'RS512');
  });
  afterAll(() => issuer.stop());
  beforeEach(() => {
    const loadKeys = async () => (await fetch(issuer.auth.jwksUrl)).json() as Promise<{ keys: [] }>;
    verifier = new TokenVerifier({ issuer: issuer.url, parties: [PARTY], rolesClaim: 'roles', loadKeys });
  });

  it.each(['first', 'rsa', 'ed'])('accepts a token signed with the key %s', async (kid) => {
    expect(await verifier.verify(await issuer.sign({}, { kid }))).toMatchObject({ userId: 'user_1' });
  });

  it.each([
    ['the audience', { aud: PARTY, azp: undefined }],
    ['one of several audiences', { aud: ['other', PARTY], azp: undefined }],
    ['the audience, with another party', { aud: PARTY, azp: 'other' }],
    ['the authorized party, without an audience', { azp: PARTY }],
  ])('accepts a token that is meant for us by %s', async (_, claims) => {
    expect(await verifier.verify(await issuer.sign(claims))).toMatchObject({ userId: 'user_1' });
  });

  it.each([
    ['that has expired', () => issuer.sign({ exp: now() - 60 })],
    ['that is not valid yet', () => issuer.sign({ nbf: now() + 60 })],
    ['without an expiry', () => issuer.sign({ exp: undefined })],
    ['of another issuer', () => issuer.sign({ iss: 'https://evil.example.com' })],
    ['meant for another party', () => issuer.sign({ azp: 'https://evil.example.com' })],
    ['without audience and party', () => issuer.sign({ azp: undefined })],
    ['of another audience, though the party is ours', () => issuer.sign({ aud: 'other', azp: PARTY })],
    ['with half of a surrogate pair in its subject', () => issuer.sign({ sub: 'user_\ud800' })],
    ['without a subject', () => issuer.sign({ sub: undefined })],
    ['with an empty subject', () => issuer.sign({ sub: '' })],
    ['with a subject that no row can have', () => issuer.sign({ sub: 'user\u00001' })],
    ['with a subject that is not text', () => issuer.sign({ sub: 1 as unknown as string })],
    ['with an algorithm that is not on the list', () => issuer.sign({}, { kid: 'weak' })],
    ['that is oversized', () => issuer.sign({ padding: 'x'.repeat(9_000) })],
    ['signed with nothing', () => signWithNone()],
    ['signed with the public key as a shared secret', () => signWithPublicKey()],
    ['with a foreign key id', () => signForeign({ kid: 'foreign' })],
    ['with our key id and a foreign key', () => signForeign({ kid: 'first' })],
    [
      'that brings its own key set by jku',
      () => signForeign({ kid: 'first', jku: 'https://evil.example.com/jwks.json' }),
    ],
    [
      'that brings its own certificate by x5u',
      () => signForeign({ kid: 'first', x5u: 'https://evil.example.com/c.pem' }),
    ],
    ['that brings its own key by jwk', () => signForeign({ kid: 'first' }, { isKeyEmbedded: true })],
    [
      'with an unknown critical extension',
      () => issuer.sign({}, { header: { crit: ['exotic'], exotic: true } }).catch(() => 'a.b.c'),
    ],
    ['whose claims were changed', async () => changeClaims(await issuer.sign())],
    ['that is not a JWT', () => Promise.resolve('a.b.c')],
  ])('refuses a token %s', async (_, create) => {
    await expect(create().then((token) => verifier.verify(token))).rejects.toMatchObject({
      code: 'unauthenticated',
      status: 401,
    });
  });

  it.each([
    ['a shared secret', { kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0' }],
    ['a point that is not on its curve', { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }],
    ['half a key', { kty: 'EC', crv: 'P-256', x: 'AAAA' }],
    ['an invalid modulus', { kty: 'RSA', n: '!', e: 'AQAB' }],
  ])('rejects a token whose key in the key set is %s', async (_, odd) => {
    const loadKeys = () => Promise.resolve({ keys: [{ ...odd, kid: 'odd' }] });
    const strict = new TokenVerifier({ issuer: issuer.url, parties: [PARTY], rolesClaim: 'roles', loadKeys });
    for (const alg of ['ES256', 'RS256', 'HS256', 'EdDSA']) {
      const token = `${base64({ alg, kid: 'odd' })}.${base64(claims())}.${base64(Buffer.alloc(64))}`;
      await expect(strict.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' });
    }
  });

  it('tolerates clocks that differ by less than the skew', async () => {
    expect(await verifier.verify(await issuer.sign({ exp: now() - 10 }))).toMatchObject({ userId: 'user_1' });
  });

  it('verifies a token only once', async () => {
    const token = await issuer.sign();
    expect(verifier.recall(token)).toBeUndefined();
    await verifier.verify(token);
    expect(verifier.recall(token)).toMatchObject({ userId: 'user_1' });
  });

  it('recalls no token past its expiry', async () => {
    const token = await issuer.sign({ exp: now() - 1 });
    await verifier.verify(token);
    expect(verifier.recall(token)).toBeUndefined();
  });

  it('recalls no token of a revoked key, even if all requests since came with recalled tokens', async () => {
    let clock = 0;
    let keys = issuer.keys;
    const rules = {
      issuer: issuer.url,
      parties: [PARTY],
      rolesClaim: 'roles',
      loadKeys: () => Promise.resolve({ keys }),
    };
    const watchful = new TokenVerifier(rules, { now: () => clock });
    const token = await issuer.sign();
    await watchful.verify(token);
    keys = keys.filter(({ kid }) => kid !== 'first');
    expect(watchful.recall(token)).toMatchObject({ userId: 'user_1' });
    clock += MAX_AGE_MS;
    watchful.recall(token);
    await new Promise(setImmediate);
    expect(watchful.recall(token)).toBeUndefined();
    await expect(watchful.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it.each(['first', 'rsa', 'ed'])(
    'recalls no token whose key %s was revoked while its signature was verified',
    async (kid) => {
      let clock = 0;
      let keys = issuer.keys;
      const rules = {
        issuer: issuer.url,
        parties: [PARTY],
        rolesClaim: 'roles',
        loadKeys: () => Promise.resolve({ keys }),
      };
      const watchful = new TokenVerifier(rules, { now: () => clock });
      const token = await issuer.sign({}, { kid });
      const unknown = await signForeign({ kid: 'unknown' });
      const verify = crypto.subtle.verify.bind(crypto.subtle);
      const spy = jest.spyOn(crypto.subtle, 'verify').mockImplementationOnce(async (...args) => {
        keys = keys.filter((key) => key.kid !== kid);
        clock += COOLDOWN_MS;
        // An unknown key id causes a request to the issuer. The refusal follows its response.
        await expect(watchful.verify(unknown)).rejects.toMatchObject({ code: 'unauthenticated' });
        return verify(...args);
      });
      try {
        await watchful.verify(token);
        expect(spy).toHaveBeenCalledTimes(1);
      } finally {
        spy.mockRestore();
      }
      expect(watchful.recall(token)).toBeUndefined();
      await expect(watchful.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' });
    },
  );

  it('never recalls a refused token', async () => {
    const token = await issuer.sign({ azp: 'other' });
    await verifier.verify(token).catch(() => undefined);
    expect(verifier.recall(token)).toBeUndefined();
  });

  it('accepts the first token of the local issuer, also right after a refused one', async () => {
    const served: JSONWebKeySet = { keys: [] };
    const rules = { ...readLocalRules('testing'), issuer: issuer.url, parties: [PARTY] };
    const local = new TokenVerifier({ ...rules, loadKeys: () => Promise.resolve(served) }, { now: () => 0 });
    const token = await issuer.sign();
    await expect(local.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' });
    served.keys = issuer.keys;
    expect(await local.verify(token)).toMatchObject({ userId: 'user_1' });
  });

  const claims = () => ({ iss: issuer.url, sub: 'admin', azp: PARTY, exp: now() + 60 });

  function signWithNone(): Promise<string> {
    return Promise.resolve(`${base64({ alg: 'none', kid: 'first' })}.${base64(claims())}.`);
  }

  function signWithPublicKey(): Promise<string> {
    const jwk = issuer.keys.find(({ kid }) => kid === 'rsa') as JsonWebKey;
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const content = `${base64({ alg: 'HS256', kid: 'rsa' })}.${base64(claims())}`;
    return Promise.resolve(`${content}.${base64(createHmac('sha256', pem).update(content).digest())}`);
  }

  async function signForeign(header: object, { isKeyEmbedded = false } = {}): Promise<string> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = isKeyEmbedded ? { jwk: await crypto.subtle.exportKey('jwk', publicKey) } : {};
    return new SignJWT(claims()).setProtectedHeader({ alg: 'ES256', ...header, ...jwk }).sign(privateKey);
  }

  function changeClaims(token: string): string {
    const [header, , signature] = token.split('.');
    return [header, base64({ ...claims(), sub: 'admin' }), signature].join('.');
  }
});
