import { setTimeout as sleep } from 'node:timers/promises';
import { Secret } from '@airlock/config';
import { Database } from '@airlock/service';
import { HttpPeers } from '@airlock/service/outbound';
import { describe, expect, it } from '@jest/globals';
import { Attempts } from './attempts.js';
import { Connections } from './connections.js';
import { Keyring } from './keyring.js';
import { createConnectionParts } from './provider-connections.module.js';
import { connect, KEYS, useConnections } from './testing/use-connections.fixture.js';
import type { TestProvider } from './testing/test-provider.fixture.js';

describe('a user who connects an account', () => {
  const world = useConnections();
  const get = <T>(type: abstract new (...args: never[]) => T): T => world.app.app.nest.get(type);
  const start = async (userId: string, provider: TestProvider = world.acme) =>
    (await get(Attempts).start(userId, provider.name)).authorizationUrl;
  const visit = async (address: string, provider: TestProvider = world.acme) =>
    new URL(await provider.visit(address)).search.slice(1);
  const receive = (query: string, name = 'acme') => get(Attempts).receive(name, query);
  const confirmationOf = async (query: string) => ((await receive(query)) as { confirmation: string }).confirmation;
  const list = (userId: string) => get(Connections).list(userId);
  const confirm = (userId: string, confirmation: string, name = 'acme') =>
    get(Attempts).confirm(userId, name, confirmation);
  const UNKNOWN = { error: 'invalid_state', reason: 'state-unknown' };
  const USED = { error: 'invalid_state', reason: 'state-used-or-expired' };
  const REFUSED = { error: 'failed', reason: 'provider-refused' };

  it('has their own connection, with a token that the provider accepts', async () => {
    await connect(world, 'user_1');
    expect(await list('user_1')).toMatchObject([{ provider: 'acme', account: 'account_1', status: 'active' }]);
    expect(await list('user_2')).toEqual([]);
    expect(await world.acme.accepts(await get(Connections).accessToken('user_1', 'acme'))).toBe(true);
    await expect(get(Connections).accessToken('user_2', 'acme')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('connects again, which replaces the account', async () => {
    await connect(world, 'user_1');
    world.acme.account = 'account_2';
    await connect(world, 'user_1');
    expect(await list('user_1')).toMatchObject([{ account: 'account_2' }]);
  });

  it('sends a challenge, a nonce, the state and the redirect address of this provider', async () => {
    const { searchParams } = new URL(await start('user_1'));
    expect(Object.fromEntries(searchParams)).toMatchObject({
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      redirect_uri: 'http://127.0.0.1:8183/callback/acme',
      response_type: 'code',
    });
    expect(searchParams.get('state')).not.toContain('user_1');
  });

  it('who refuses is told so, and has nothing', async () => {
    world.acme.isRefused = true;
    expect(await receive(await visit(await start('user_1')))).toMatchObject({ error: 'access_denied' });
    expect(await list('user_1')).toEqual([]);
  });

  it('has nothing before the confirmation', async () => {
    await confirmationOf(await visit(await start('user_1')));
    expect(await list('user_1')).toEqual([]);
    await expect(get(Connections).accessToken('user_1', 'acme')).rejects.toMatchObject({ code: 'not-found' });
  });

  describe('is safe from', () => {
    it('a replayed return, also of two at once', async () => {
      const query = await visit(await start('user_1'));
      // While the provider takes its time, the others come.
      world.acme.intercept = () => sleep(300, false);
      const outcomes = await Promise.all([receive(query), receive(query), receive(query)]);
      expect(outcomes.filter((one) => 'confirmation' in one)).toHaveLength(1);
      expect(outcomes.filter((one) => 'error' in one)).toEqual([USED, USED]);
      expect(await receive(query)).toEqual(USED);
    });

    it('a replayed confirmation', async () => {
      const confirmation = await confirmationOf(await visit(await start('user_1')));
      await confirm('user_1', confirmation);
      await get(Connections).delete('user_1', 'acme');
      await expect(confirm('user_1', confirmation)).rejects.toMatchObject({ code: 'not-found' });
      expect(await list('user_1')).toEqual([]);
    });

    it('an attacker who makes them finish the attempt of the attacker', async () => {
      const query = await visit(await start('attacker'));
      const confirmation = await confirmationOf(query);
      await expect(confirm('victim', confirmation)).rejects.toMatchObject({ code: 'not-found' });
      expect([await list('victim'), await list('attacker')]).toEqual([[], []]);
    });

    it('a code of the attacker that is injected into their attempt', async () => {
      const stolen = new URLSearchParams(await visit(await start('attacker')));
      const own = new URLSearchParams(await visit(await start('victim')));
      own.set('code', stolen.get('code') ?? '');
      expect(await receive(own.toString())).toEqual(REFUSED);
    });

    it('a stolen code that is used in the attempt of the attacker', async () => {
      const victim = new URLSearchParams(await visit(await start('victim')));
      const attacker = new URL(await start('attacker')).searchParams.get('state') ?? '';
      victim.set('state', attacker);
      expect(await receive(victim.toString())).toEqual(REFUSED);
    });

    it('an expired state', async () => {
      const query = await visit(await start('user_1'));
      await world.app.database.query(`UPDATE provider_connection_attempts SET expires_at = now() - interval '1 s'`);
      expect(await receive(query)).toEqual(USED);
    });

    it('an expired confirmation', async () => {
      const confirmation = await confirmationOf(await visit(await start('user_1')));
      await world.app.database.query(`UPDATE provider_connection_attempts SET expires_at = now() - interval '1 s'`);
      await expect(confirm('user_1', confirmation)).rejects.toMatchObject({ code: 'not-found' });
    });

    it('the state of an attempt that was started again', async () => {
      const query = await visit(await start('user_1'));
      await start('user_1');
      expect(await receive(query)).toEqual(USED);
    });

    it('a confirmation that is sent as a state, and the reverse', async () => {
      const query = new URLSearchParams(await visit(await start('user_1')));
      await expect(confirm('user_1', query.get('state') ?? '')).rejects.toMatchObject({ code: 'not-found' });
      query.set('state', await confirmationOf(query.toString()));
      expect(await receive(query.toString())).toEqual(UNKNOWN);
    });

    it.each(['', 'state=', 'state=x', `state=${'A'.repeat(8)}.${'A'.repeat(60)}`, 'state=%00', 'code=1'])(
      'a return with %j',
      async (query) => expect(await receive(query)).toEqual(UNKNOWN),
    );

    it('a return with two states or two codes', async () => {
      const query = await visit(await start('user_1'));
      const state = new URLSearchParams(query).get('state') ?? '';
      expect(await receive(`${query}&state=${encodeURIComponent(state)}`)).toEqual(UNKNOWN);
      expect(await receive(`${query}&code=x`)).toEqual(REFUSED);
    });

    it('a state with any one character changed', async () => {
      const query = new URLSearchParams(await visit(await start('user_1')));
      const state = query.get('state') ?? '';
      for (let at = 0; at < state.length - 1; at += 7) {
        const other = state[at] === 'A' ? 'B' : 'A';
        query.set('state', state.slice(0, at) + other + state.slice(at + 1));
        expect(await receive(query.toString())).toEqual(UNKNOWN);
      }
    });
  });

  describe('at the wrong provider', () => {
    it('is refused at the address of another provider', async () => {
      const query = await visit(await start('user_1'));
      expect(await receive(query, 'other')).toEqual(UNKNOWN);
      expect(await receive(query)).toHaveProperty('confirmation');
    });

    it.each([
      ['another issuer', (query: URLSearchParams) => query.set('iss', world.other.issuer)],
      ['no issuer', (query: URLSearchParams) => query.delete('iss')],
    ])('is refused with %s in the response', async (_, change) => {
      const query = new URLSearchParams(await visit(await start('user_1')));
      change(query);
      const before = world.acme.count('/token');
      expect(await receive(query.toString())).toEqual(REFUSED);
      expect(world.acme.count('/token')).toBe(before);
    });

    it('is not found at an unknown one', async () => {
      await expect(get(Attempts).start('user_1', 'nowhere')).rejects.toMatchObject({ code: 'not-found' });
      await expect(receive('state=x', '__proto__')).rejects.toMatchObject({ code: 'not-found' });
    });
  });

  describe('in another environment or with another key', () => {
    const attemptsWith = (keyring: Keyring) =>
      new Attempts({
        ...createConnectionParts(world.app.config, { database: get(Database), peers: get(HttpPeers) }),
        keyring,
      });

    it.each([
      ['environment', () => new Keyring(KEYS, 'development')],
      ['key', () => new Keyring(new Secret('another-key-of-the-tests-0000000000000'), 'testing')],
    ])('comes back with a state of no meaning: another %s', async (_, createKeyring) => {
      const query = await visit(await start('user_1'));
      expect(await attemptsWith(createKeyring()).receive('acme', query)).toEqual(UNKNOWN);
      const minted = await attemptsWith(createKeyring()).start('user_1', 'acme');
      expect(await receive(await visit(minted.authorizationUrl))).toEqual(UNKNOWN);
    });
  });

  it('hears that the provider is unavailable, and can start when it has recovered', async () => {
    const { attempts } = createConnectionParts(world.app.config, { database: get(Database), peers: get(HttpPeers) });
    world.acme.intercept = (_, response) => Boolean(response.writeHead(503).end());
    await expect(attempts.start('user_1', 'acme')).rejects.toMatchObject({ code: 'dependency-unavailable' });
    world.acme.intercept = undefined;
    expect(await attempts.start('user_1', 'acme')).toHaveProperty('authorizationUrl');
  });
});
