import { fileURLToPath } from 'node:url';
import { Attempts, Connections } from '@airlock/provider-connections';
import { useConnections } from '@airlock/provider-connections/testing';
import { AppProcess, useTestApp } from '@airlock/service/testing';
import { describe, expect, it } from '@jest/globals';
import { callback } from './callback.js';

const PAGE = 'http://127.0.0.1:3000/connections';
const FOLDER = fileURLToPath(new URL('..', import.meta.url));

describe('the callback', () => {
  const world = useConnections({ createApp: (configure) => useTestApp(callback, { configure }) });
  const attempts = () => world.app.app.nest.get(Attempts);
  /** @returns the address that the provider sends the user to, without its host */
  const comeBack = async (userId: string) => {
    const { authorizationUrl } = await attempts().start(userId, 'acme');
    const { pathname, search } = new URL(await world.acme.visit(authorizationUrl));
    return pathname + search;
  };
  const request = (url: string, more: object = {}) => world.app.request({ url, ...more });
  const fragmentOf = (location: unknown) =>
    Object.fromEntries(new URLSearchParams(new URL(String(location)).hash.slice(1)));
  const valuesOf = (url: string) => [...new URLSearchParams(url.replace(/.*\?/, '')).values()];
  const accessLines = () => world.app.lines.filter(({ event }) => event === 'request');

  it('sends the user to the page with a confirmation, with which that user connects the account', async () => {
    const { statusCode, headers } = await request(await comeBack('user_1'));
    expect([statusCode, headers['location']]).toEqual([
      303,
      expect.stringMatching(new RegExp(`^${PAGE}#provider=acme&`)),
    ]);
    const { confirmation = '' } = fragmentOf(headers['location']);
    await attempts().confirm('user_1', 'acme', confirmation);
    const connections = await world.app.app.nest.get(Connections).list('user_1');
    expect(connections).toMatchObject([{ provider: 'acme', account: 'account_1' }]);
  });

  it('keeps the address out of caches, referrers and frames', async () => {
    const { headers } = await request(await comeBack('user_1'));
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    });
    expect(headers['set-cookie']).toBeUndefined();
  });

  it('logs no part of the query and of the confirmation', async () => {
    const url = await comeBack('user_1');
    const { headers } = await request(url);
    await request(url);
    world.acme.intercept = (_, response) => Boolean(response.writeHead(500).end(url));
    await request(await comeBack('user_1').catch(() => url));
    const log = JSON.stringify(world.app.lines);
    expect(accessLines()).toHaveLength(3);
    for (const secret of [...valuesOf(url), fragmentOf(headers['location'])['confirmation']])
      if (secret !== world.acme.issuer) expect(log).not.toContain(secret);
  });

  it.each([
    ['access_denied', 'provider-denied', () => void (world.acme.isRefused = true)],
    ['failed', 'provider-unavailable', () => failAt('/token', 503)],
    ['failed', 'provider-refused', () => failAt('/token', 400)],
  ])('sends the user to the page with the error %s: %s', async (error, reason, prepare) => {
    prepare();
    const { statusCode, headers } = await request(await comeBack('user_1'));
    expect([statusCode, fragmentOf(headers['location'])]).toEqual([303, { provider: 'acme', error }]);
    expect(accessLines()).toMatchObject([{ auth_refusal: reason, path: '/callback/acme' }]);
  });
  const failAt = (path: string, status: number) => {
    const body = JSON.stringify({ error: 'invalid_grant' });
    world.acme.intercept = ({ url }, response) =>
      url === path && Boolean(response.writeHead(status, { 'content-type': 'application/json' }).end(body));
  };

  it.each([
    ['?state=x&redirect_uri=https://evil.example&return_to=//evil.example', {}],
    ['?state=x&error=%0d%0alocation:https://evil.example', {}],
    ['?error=access_denied&error_description=evil', {}],
    ['?state=x', { host: 'evil.example', 'x-forwarded-host': 'evil.example', origin: 'https://evil.example' }],
    [`?state=${'x'.repeat(10_000)}`, {}],
  ])('sends the user to no other address: %.60s', async (query, headers) => {
    const response = await request(`/callback/acme${query}`, { headers });
    expect([response.statusCode, response.headers['location']]).toEqual([
      303,
      `${PAGE}#provider=acme&error=invalid_state`,
    ]);
  });

  it('does not use up the state for HEAD', async () => {
    const url = await comeBack('user_1');
    expect((await request(url, { method: 'HEAD' })).statusCode).toBe(405);
    expect(fragmentOf((await request(url)).headers['location'])).toHaveProperty('confirmation');
  });

  it.each([
    ['GET', '/callback/nowhere?state=x', 404],
    ['GET', '/callback/UPPER?state=x', 422],
    ['GET', '/callback/..%2f..%2fx', 422],
    ['GET', '/callback', 404],
    ['POST', '/callback/acme', 405],
    ['GET', '/api/v1/connections', 404],
    ['GET', '/healthz', 200],
  ] as const)('responds to %s %s with %i', async (method, url, status) => {
    const token = await world.app.issuer.sign({ sub: 'user_1' });
    const response = await request(url, { method, headers: { authorization: `Bearer ${token}` } });
    expect([response.statusCode, response.headers['location']]).toEqual([status, undefined]);
  });

  describe('as a process', () => {
    const start = (env: Record<string, string>) => {
      const config = {
        ...world.app.database.config,
        auth: { ...world.app.config.auth, issuer: undefined, jwksUrl: undefined, authorizedParties: [] },
      };
      return AppProcess.start({ config, env, folder: FOLDER });
    };

    it('needs no issuer of tokens, and connects an account', async () => {
      const { keys, page, callbackUrl } = world.app.config.connections;
      const { clientSecret, ...provider } = world.acme.config;
      const app = await start({
        CONNECTION_PROVIDERS: JSON.stringify([{ ...provider, clientSecret: clientSecret.reveal() }]),
        CONNECTION_KEYS: keys?.reveal() ?? '',
        CALLBACK_URL: callbackUrl ?? '',
        CONNECTIONS_PAGE: page ?? '',
      });
      try {
        const url = await comeBack('user_1');
        const { status, headers } = await fetch(app.url + url, { redirect: 'manual' });
        expect([status, fragmentOf(headers.get('location'))]).toEqual([
          303,
          { provider: 'acme', confirmation: expect.any(String) },
        ]);
        expect(JSON.stringify(app.lines)).not.toContain(valuesOf(url)[0]);
      } finally {
        await app.stop();
      }
    });

    it('does not start without a provider', async () => {
      const app = await start({});
      expect(await app.exited).toMatchObject({ code: 78 });
      expect(JSON.stringify(app.lines)).toContain('CONNECTION_PROVIDERS: is not set, but callback requires it');
    });
  });
});
