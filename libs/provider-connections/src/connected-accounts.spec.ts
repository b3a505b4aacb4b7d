import { setTimeout as sleep } from 'node:timers/promises';
import { Secret } from '@airlock/config';
import { Database } from '@airlock/service';
import { HttpPeers } from '@airlock/service/outbound';
import { describe, expect, it } from '@jest/globals';
import { Connections } from './connections.js';
import { createConnectionParts } from './provider-connections.module.js';
import { refreshConnections, resealConnections } from './refresh-connections.js';
import { connect, KEYS, useConnections } from './testing/use-connections.fixture.js';

describe('a connected account', () => {
  const world = useConnections();
  const get = <T>(type: abstract new (...args: never[]) => T): T => world.app.app.nest.get(type);
  const query = <T>(text: string) => world.app.database.query(text) as Promise<T[]>;
  const parts = (keys = KEYS) => {
    const { config } = world.app;
    return createConnectionParts(
      { ...config, connections: { ...config.connections, keys } },
      { database: get(Database), peers: get(HttpPeers) },
    );
  };
  const tokenOf = (userId: string) => get(Connections).accessToken(userId, 'acme');
  const refresh = () => refreshConnections(parts());
  const statusOf = async (userId: string) => (await get(Connections).list(userId))[0]?.status;
  /** Seals the tokens again, with another time of expiry. */
  const expire = async (...userIds: string[]) => {
    const { keyring } = parts();
    const rows = await query<{ id: string; owner_id: string; sealed_tokens: string }>(
      'SELECT * FROM provider_connections',
    );
    for (const { id, owner_id: owner, sealed_tokens: sealed } of rows) {
      const place = ['tokens', owner, 'acme', id] as const;
      const tokens = keyring.open(sealed, place) as object;
      if (userIds.includes(owner))
        await query(`UPDATE provider_connections SET expires_at = now(), sealed_tokens =
          '${keyring.seal({ ...tokens, expiresAt: Date.now() - 1 }, place)}' WHERE id = '${id}'`);
    }
  };
  const NONE = { refreshed: 0, waiting: 0, broken: 0, failed: 0, replaced: 0, unreadable: 0, resealed: 0 };

  it('has its tokens encrypted in the database', async () => {
    await connect(world, 'user_1');
    const token = await tokenOf('user_1');
    const dump = JSON.stringify(await query('SELECT * FROM provider_connections'));
    expect([dump.includes(token), dump.includes('refresh')]).toEqual([false, false]);
    expect(await query('SELECT * FROM provider_connection_attempts')).toEqual([]);
  });

  it('cannot be read with the tokens of another row', async () => {
    await connect(world, 'user_1');
    await connect(world, 'user_2');
    await query(`UPDATE provider_connections SET sealed_tokens =
      (SELECT sealed_tokens FROM provider_connections WHERE owner_id = 'user_1') WHERE owner_id = 'user_2'`);
    await expect(tokenOf('user_2')).rejects.toThrow('no key of CONNECTION_KEYS opens the tokens');
  });

  describe('that is deleted', () => {
    it('is revoked at the provider', async () => {
      await connect(world, 'user_1');
      const token = await tokenOf('user_1');
      await expect(get(Connections).delete('user_2', 'acme')).rejects.toMatchObject({ code: 'not-found' });
      expect(await world.acme.accepts(token)).toBe(true);
      await get(Connections).delete('user_1', 'acme');
      expect(await get(Connections).list('user_1')).toEqual([]);
      expect(await world.acme.accepts(token)).toBe(false);
    });

    it('is gone also if the provider is unavailable, which the log says', async () => {
      await connect(world, 'user_1');
      world.acme.intercept = (_, response) => Boolean(response.writeHead(503).end());
      await get(Connections).delete('user_1', 'acme');
      expect(await get(Connections).list('user_1')).toEqual([]);
      expect(JSON.stringify(world.app.lines)).toContain('tokens were not revoked: acme: unavailable');
    });
  });

  describe('whose token has expired', () => {
    it('is refreshed by one of many callers', async () => {
      await connect(world, 'user_1');
      const old = await tokenOf('user_1');
      await expire('user_1');
      const before = world.acme.count('/token');
      const tokens = await Promise.all(Array.from({ length: 8 }, () => tokenOf('user_1')));
      expect(new Set(tokens).size).toBe(1);
      expect(tokens[0]).not.toBe(old);
      expect(await world.acme.accepts(tokens[0] ?? '')).toBe(true);
      expect(world.acme.count('/token') - before).toBe(1);
    });

    it('is refreshed again with the token that the provider gave last', async () => {
      await connect(world, 'user_1');
      for (let count = 0; count < 3; count += 1) {
        await expire('user_1');
        expect(await world.acme.accepts(await tokenOf('user_1'))).toBe(true);
      }
    });

    it('is refreshed again at a provider that gives no next token', async () => {
      world.acme.isRotating = false;
      await connect(world, 'user_1');
      for (let count = 0; count < 2; count += 1) {
        await expire('user_1');
        expect(await world.acme.accepts(await tokenOf('user_1'))).toBe(true);
      }
    });

    it('is broken when the provider no longer accepts it, and its owner sees that', async () => {
      await connect(world, 'user_1');
      await expire('user_1');
      // Another party has used the refresh token: a provider then ends the whole grant.
      const saved = await query<{ sealed_tokens: string }>('SELECT sealed_tokens FROM provider_connections');
      await tokenOf('user_1');
      await query(`UPDATE provider_connections SET sealed_tokens = '${saved[0]?.sealed_tokens}', expires_at = now()`);
      await expect(tokenOf('user_1')).rejects.toMatchObject({ code: 'conflict' });
      expect(await statusOf('user_1')).toBe('broken');
      expect(await query('SELECT sealed_tokens FROM provider_connections')).toEqual([{ sealed_tokens: null }]);
      await connect(world, 'user_1');
      expect(await world.acme.accepts(await tokenOf('user_1'))).toBe(true);
    });

    it('is kept when the provider is unavailable', async () => {
      await connect(world, 'user_1');
      await expire('user_1');
      world.acme.intercept = (_, response) => Boolean(response.writeHead(503).end());
      await expect(tokenOf('user_1')).rejects.toMatchObject({ code: 'dependency-unavailable' });
      expect(await statusOf('user_1')).toBe('active');
      world.acme.intercept = undefined;
      await query('UPDATE provider_connections SET claimed_until = NULL');
      expect(await world.acme.accepts(await tokenOf('user_1'))).toBe(true);
    });

    it('that the user deletes meanwhile leaves no token at the provider', async () => {
      await connect(world, 'user_1');
      await expire('user_1');
      let revocations = 0;
      world.acme.intercept = async ({ url }) => {
        if (url === '/token') await query('DELETE FROM provider_connections');
        if (url === '/token/revocation') revocations += 1;
        return false;
      };
      await expect(tokenOf('user_1')).rejects.toMatchObject({ code: 'not-found' });
      expect(revocations).toBe(1);
    });

    it('that the user connects again meanwhile keeps the new tokens', async () => {
      await connect(world, 'user_1');
      await expire('user_1');
      let isFirst = true;
      world.acme.intercept = async ({ url }) => {
        if (url === '/token' && isFirst) {
          isFirst = false;
          world.acme.account = 'account_2';
          await connect(world, 'user_1');
        }
        return false;
      };
      expect(await world.acme.accepts(await tokenOf('user_1'))).toBe(true);
      expect(await get(Connections).list('user_1')).toMatchObject([{ account: 'account_2', status: 'active' }]);
    });
  });

  describe('the job', () => {
    it('refreshes what expires soon, once, however many run', async () => {
      const users = Array.from({ length: 12 }, (_, at) => `user_${at}`);
      for (const user of users) await connect(world, user);
      // The provider gives tokens for a minute, so all are due; one is not.
      await query(`UPDATE provider_connections SET expires_at = now() + interval '1 h' WHERE owner_id = 'user_0'`);
      const before = world.acme.count('/token');
      const reports = await Promise.all([refresh(), refresh(), refresh()]);
      expect(reports.reduce((sum, { refreshed }) => sum + refreshed, 0)).toBeGreaterThanOrEqual(11);
      expect(world.acme.count('/token') - before).toBe(reports.reduce((sum, { refreshed }) => sum + refreshed, 0));
      for (const user of users) expect(await world.acme.accepts(await tokenOf(user))).toBe(true);
    });

    it('takes over what a killed process had claimed, after the time of the claim', async () => {
      await connect(world, 'user_1');
      await query(`UPDATE provider_connections SET claimed_until = now() + interval '1 minute'`);
      expect(await refresh()).toEqual(NONE);
      await query(`UPDATE provider_connections SET claimed_until = now() - interval '1 second'`);
      expect(await refresh()).toMatchObject({ refreshed: 1 });
    });

    it('saves an answer although the database fails at first', async () => {
      await connect(world, 'user_1');
      world.acme.intercept = async ({ url }) => {
        if (url !== '/token') return false;
        await query('ALTER TABLE provider_connections RENAME TO provider_connections_away');
        void sleep(500).then(() => query('ALTER TABLE provider_connections_away RENAME TO provider_connections'));
        return false;
      };
      expect(await refresh()).toMatchObject({ refreshed: 1 });
      expect(await world.acme.accepts(await tokenOf('user_1'))).toBe(true);
    });

    it('leaves a line in the journal, and removes attempts that were not completed', async () => {
      await query(
        `INSERT INTO provider_connection_attempts VALUES ('user_1', 'acme', uuidv7(), 'finished', 'x', '-infinity')`,
      );
      await refresh();
      expect(await query('SELECT * FROM provider_connection_attempts')).toEqual([]);
      expect(await query(`SELECT reason FROM ops.system_uses WHERE reason LIKE 'connections:%'`)).not.toEqual([]);
    });

    it('keeps tokens that no key opens', async () => {
      await connect(world, 'user_1');
      const stranger = new Secret('an-unknown-key-of-the-tests-0000000000');
      expect(await refreshConnections(parts(stranger))).toEqual({ ...NONE, unreadable: 1 });
      await query('UPDATE provider_connections SET claimed_until = NULL');
      expect(await refresh()).toMatchObject({ refreshed: 1 });
    });

    it('encrypts again with a new key, after which the old one is not needed', async () => {
      await connect(world, 'user_1');
      const token = await tokenOf('user_1');
      const added = new Secret(`a-newer-key-of-the-tests-0000000000000,${KEYS.reveal()}`);
      expect(await resealConnections(parts(added))).toBe(1);
      expect(await resealConnections(parts(added))).toBe(0);
      const alone = new Secret('a-newer-key-of-the-tests-0000000000000');
      expect(await parts(alone).connections.accessToken('user_1', 'acme')).toBe(token);
    });
  });

  it('without a refresh token is used until it expires, and then broken', async () => {
    await connect(world, 'user_1');
    const { keyring } = parts();
    const [row] = await query<{ id: string; sealed_tokens: string }>('SELECT * FROM provider_connections');
    const place = ['tokens', 'user_1', 'acme', row?.id ?? ''] as const;
    const { accessToken } = keyring.open(row?.sealed_tokens ?? '', place) as { accessToken: string };
    const seal = (expiresAt: number) =>
      query(`UPDATE provider_connections SET claimed_until = NULL, expires_at = now(),
        sealed_tokens = '${keyring.seal({ accessToken, expiresAt }, place)}'`);
    await seal(Date.now() + 10_000);
    expect(await tokenOf('user_1')).toBe(accessToken);
    expect(await refresh()).toEqual({ ...NONE, waiting: 1 });
    await seal(Date.now() - 1);
    expect(await refresh()).toEqual({ ...NONE, broken: 1 });
    expect(await statusOf('user_1')).toBe('broken');
  });
});
