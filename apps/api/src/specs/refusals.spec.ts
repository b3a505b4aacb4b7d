import { request } from 'node:http';
import { PARTY, type RefusalCause, refusals } from '@airlock/service/testing';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { JWTPayload } from 'jose';
import { useTestApi } from '../testing/use-test-api.fixture.js';

jest.setTimeout(60_000);

const URL_PATH = '/api/v1/entities';
const now = () => Math.floor(Date.now() / 1_000);
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const ODD_KEY = { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA', alg: 'ES256' };
/** Part of every token below. It must never be logged. */
const CANARY = 'canary-2f8cff11';

describe('a refused caller', () => {
  const api = useTestApi();
  const away = useTestApi();
  beforeAll(async () => {
    for (const kid of ['second', 'weak']) await api.issuer.addKey(kid, kid === 'weak' ? 'RS512' : 'ES256');
    api.issuer.keys.push({ ...ODD_KEY, kid: 'odd' });
    away.issuer.isFailing = true;
    for (const { app } of [api, away]) await app.nest.listen({ host: '127.0.0.1', port: 0 });
  });

  /** Several values of a header are sent as several lines. */
  async function ask(app: typeof api, authorization: string | string[] | undefined): Promise<number | undefined> {
    const headers = [authorization ?? []].flat().flatMap((value) => ['authorization', value]);
    const options = { headers: ['host', 'a', ...headers], agent: false };
    return new Promise((resolve, reject) => {
      const asked = request(`${urlOf(app)}${URL_PATH}`, options, (response) => {
        response.resume().once('close', () => resolve(response.statusCode));
      });
      asked.once('error', reject).end();
    });
  }
  const urlOf = (app: typeof api) =>
    `http://127.0.0.1:${(app.app.nest.getHttpServer().address() as { port: number }).port}`;
  const sign = (claims: JWTPayload, options?: { kid?: string; header?: object }) => async () =>
    `Bearer ${await api.issuer.sign({ canary: CANARY, ...claims }, options)}`;
  const forge =
    (header: object, claims = {}) =>
    () =>
      Promise.resolve(
        `Bearer ${base64(header)}.${base64({ canary: CANARY, ...claims })}.${Buffer.alloc(64).toString('base64url')}`,
      );

  const cases: [reason: RefusalCause, claim: string | undefined, () => Promise<string | string[] | undefined>][] = [
    ['header-missing', undefined, () => Promise.resolve(undefined)],
    ['header-repeated', undefined, async () => Array<string>(2).fill(await sign({})())],
    ['header-malformed', undefined, () => Promise.resolve('Basic dXNlcjpjYW5hcnk=')],
    ['header-malformed', undefined, () => Promise.resolve('Bearer ')],
    ['header-malformed', undefined, () => Promise.resolve('Bearer a.b.c.d.e')],
    ['token-too-long', undefined, sign({ padding: 'x'.repeat(9_000) })],
    ['token-malformed', undefined, () => Promise.resolve('Bearer a.b.c')],
    ['token-malformed', undefined, forge({ kid: 'first' })],
    ['token-malformed', 'crit', forge({ alg: 'ES256', kid: 'first', crit: ['exotic'], exotic: true })],
    ['algorithm-not-allowed', 'alg', forge({ alg: 'none', kid: 'first' })],
    ['algorithm-not-allowed', 'alg', forge({ alg: 'HS256', kid: 'first' })],
    ['algorithm-not-allowed', 'alg', sign({}, { kid: 'weak' })],
    ['key-unknown', 'kid', forge({ alg: 'ES256', kid: CANARY })],
    ['key-unknown', 'kid', forge({ alg: 'RS256', kid: 'first' })],
    ['key-ambiguous', 'kid', sign({}, { header: { kid: undefined } })],
    ['key-unusable', 'kid', forge({ alg: 'ES256', kid: 'odd' })],
    ['signature-invalid', undefined, forge({ alg: 'ES256', kid: 'first' })],
    ['claim-missing', 'exp', sign({ exp: undefined })],
    ['claim-missing', 'sub', sign({ sub: undefined })],
    ['claim-missing', 'iss', sign({ iss: undefined })],
    ['claim-missing', 'azp', sign({ azp: undefined })],
    ['claim-malformed', 'exp', sign({ exp: CANARY as unknown as number })],
    ['claim-malformed', 'nbf', sign({ nbf: CANARY as unknown as number })],
    ['claim-malformed', 'iss', sign({ iss: [CANARY] as unknown as string })],
    ['claim-malformed', 'aud', sign({ aud: [] })],
    ['claim-malformed', 'sub', sign({ sub: 1 as unknown as string })],
    ['issuer-mismatch', 'iss', sign({ iss: `https://${CANARY}.example.com` })],
    ['issuer-slash', 'iss', async () => sign({ iss: `${api.issuer.url}/` })()],
    ['audience-mismatch', 'aud', sign({ aud: CANARY, azp: PARTY })],
    ['audience-slash', 'aud', sign({ aud: `${PARTY}/` })],
    ['party-mismatch', 'azp', sign({ azp: CANARY })],
    ['party-slash', 'azp', sign({ azp: `${PARTY}/` })],
    ['expired', 'exp', sign({ exp: now() - 3_600 })],
    ['not-yet-valid', 'nbf', sign({ nbf: now() + 3_600 })],
    ['clock-skew', 'nbf', sign({ nbf: now() + 300 })],
    ['subject-too-long', 'sub', sign({ sub: CANARY.repeat(20) })],
    ['subject-malformed', 'sub', sign({ sub: `${CANARY}\ud800` })],
  ];

  it('has exactly the causes of the list', () => {
    const seen = new Set([...cases.map(([reason]) => reason), 'keys-unavailable']);
    expect([...seen].sort()).toEqual(Object.keys(refusals).sort());
  });

  it.each(cases)(
    'is logged with the cause %s and the claim %s, and without any part of the token',
    async (reason, claim, create) => {
      const authorization = await create();
      expect(await ask(api, authorization)).toBe(401);
      const [line, ...rest] = await accessLines(api);
      expect(rest).toEqual([]);
      expect(line).toMatchObject({ status_code: 401, user: null, auth_refusal: reason });
      // Shown at the default level of every environment.
      expect(line?.['level']).toBe('warn');
      expect(line?.['auth_claim']).toBe(claim);
      const text = JSON.stringify(api.lines);
      for (const secret of [CANARY, ...String(authorization ?? 'none').split(/[ .,]/)])
        if (secret.length > 6) expect(text).not.toContain(secret);
    },
  );

  it('is logged with the difference to the time of the claim, in seconds', async () => {
    await ask(api, await sign({ exp: now() - 3_600 })());
    const [line] = await accessLines(api);
    expect(Math.abs(Number(line?.['auth_seconds']) - 3_600)).toBeLessThan(60);
  });

  it('is also logged if there are no keys to verify the token', async () => {
    expect(await ask(away, await sign({})())).toBe(503);
    expect((await accessLines(away))[0]).toMatchObject({ status_code: 503, auth_refusal: 'keys-unavailable' });
  });

  it('gets no cause in the response', async () => {
    const response = await api.request({ url: URL_PATH, headers: { authorization: await sign({ aud: CANARY })() } });
    expect(response.json()).toEqual({
      type: 'urn:airlock:problem:unauthenticated',
      title: 'A valid bearer token or signature is required',
      status: 401,
      code: 'unauthenticated',
      instance: expect.any(String),
    });
    expect(response.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
  });

  it('has an access line with a refusal; the lines of other callers have none', async () => {
    expect(await ask(api, await sign({ aud: [CANARY, PARTY], azp: CANARY })())).toBe(200);
    expect(Object.keys((await accessLines(api))[0] ?? {}).filter((key) => key.startsWith('auth_'))).toEqual([]);
  });

  /** The line is written after the response was sent. */
  async function accessLines(app: typeof api): Promise<Record<string, unknown>[]> {
    const find = () => app.lines.filter(({ event }) => event === 'request');
    while (find().length === 0) await new Promise(setImmediate);
    return find();
  }
});
