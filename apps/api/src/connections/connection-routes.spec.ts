import { Attempts, Connections } from '@airlock/provider-connections';
import { useConnections } from '@airlock/provider-connections/testing';
import { describe, expect, it } from '@jest/globals';
import { useTestApi } from '../testing/use-test-api.fixture.js';

const URL_ALL = '/api/v1/connections';
const URL_ACME = `${URL_ALL}/acme`;

describe('connections', () => {
  const world = useConnections({ createApp: (configure) => useTestApi({ configure }) });
  const send = (as: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE', url = URL_ACME, payload?: object) =>
    world.app.request({ as, method, url, ...(payload && { payload }) });
  /** The user opens the address in a browser, and the callback program receives them. */
  const visit = async (authorizationUrl: string): Promise<string> => {
    const { search } = new URL(await world.acme.visit(authorizationUrl));
    const outcome = await world.app.app.nest.get(Attempts).receive('acme', search.slice(1));
    return 'confirmation' in outcome ? outcome.confirmation : '';
  };
  const startAs = async (user: string) =>
    (await send(user, 'POST')).json<{ authorizationUrl: string }>().authorizationUrl;
  const list = async (user: string) => (await send(user, 'GET', URL_ALL)).json<{ items: object[] }>().items;
  const connect = async (user: string) => {
    const confirmation = await visit(await startAs(user));
    return send(user, 'PUT', URL_ACME, { confirmation });
  };

  it('are connected, listed and deleted by their owner, who never gets a token', async () => {
    const responses = [await connect('user_1'), await send('user_1', 'GET', URL_ALL)];
    expect(await list('user_1')).toEqual([
      {
        provider: 'acme',
        account: 'account_1',
        status: 'active',
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
      },
    ]);
    const token = await world.app.app.nest.get(Connections).accessToken('user_1', 'acme');
    responses.push(await send('user_1', 'DELETE'));
    expect(responses.map(({ statusCode }) => statusCode)).toEqual([204, 200, 204]);
    for (const { body } of responses) expect(body).not.toContain(token);
    expect(JSON.stringify(world.app.lines)).not.toContain(token);
    expect(await world.acme.accepts(token)).toBe(false);
    expect([await list('user_1'), (await send('user_1', 'DELETE')).statusCode]).toEqual([[], 404]);
  });

  it('are not seen, confirmed or deleted by another user', async () => {
    const confirmation = await visit(await startAs('user_1'));
    expect((await send('user_2', 'PUT', URL_ACME, { confirmation })).statusCode).toBe(404);
    expect((await send('user_1', 'PUT', URL_ACME, { confirmation })).statusCode).toBe(204);
    expect([await list('user_2'), (await send('user_2', 'DELETE')).statusCode]).toEqual([[], 404]);
    expect(await list('user_1')).toHaveLength(1);
  });

  it('are confirmed once, by one of several requests', async () => {
    const confirmation = await visit(await startAs('user_1'));
    const responses = await Promise.all([1, 2, 3].map(() => send('user_1', 'PUT', URL_ACME, { confirmation })));
    expect(responses.map(({ statusCode }) => statusCode).sort()).toEqual([204, 404, 404]);
  });

  it('are refused for a confirmation of another provider', async () => {
    const confirmation = await visit(await startAs('user_1'));
    expect((await send('user_1', 'PUT', `${URL_ALL}/other`, { confirmation })).statusCode).toBe(404);
    expect(await list('user_1')).toEqual([]);
  });

  it('need a token', async () => {
    const responses = await Promise.all(
      (['POST', 'PUT', 'DELETE'] as const).map((method) => world.app.request({ method, url: URL_ACME })),
    );
    expect(responses.map(({ statusCode }) => statusCode)).toEqual([401, 401, 401]);
  });

  it('cannot be started while the provider is unavailable', async () => {
    await world.other.stop();
    const response = await send('user_1', 'POST', `${URL_ALL}/other`);
    expect([response.statusCode, response.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'dependency-unavailable' }),
    ]);
  });
});

describe('connections without a provider in the configuration', () => {
  const api = useTestApi();

  it('are an empty list, and nothing can be connected', async () => {
    const listed = await api.request({ as: 'user_1', url: URL_ALL });
    expect([listed.statusCode, listed.json()]).toEqual([200, { items: [] }]);
    expect((await api.request({ as: 'user_1', method: 'POST', url: URL_ACME })).statusCode).toBe(404);
  });
});
