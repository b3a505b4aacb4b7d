import { Secret } from '@airlock/config';
import { model } from '@airlock/model';
import { describeProduct } from '@airlock/service/product';
import { useTestJobs } from '@airlock/service/testing';
import { describe, expect, it } from '@jest/globals';
import { jobModules, jobs } from './index.js';
import { renewConnections } from './renew-connections.js';

const provider = { name: 'acme', issuer: 'http://127.0.0.1:1', clientId: 'airlock', scopes: ['openid'] };

describe('connections.refresh', () => {
  const world = useTestJobs(describeProduct(model, jobs, jobModules), {
    configure: (config) => ({
      ...config,
      connections: {
        ...config.connections,
        providers: [{ ...provider, clientSecret: new Secret('the-secret-of-the-client-0000000') }],
        keys: new Secret('the-key-of-the-tests-00000000000000000'),
        callbackUrl: 'http://127.0.0.1:8183',
      },
    }),
  });

  it('judges the connections that expire soon, and logs only if there was one', async () => {
    expect(await run()).toEqual([]);
    await world.database.asSystem('spec', (tx) =>
      tx.query(`INSERT INTO provider_connections (owner_id, provider, account, status, sealed_tokens, expires_at)
        VALUES ('user_1', 'acme', 'a', 'active', 'sealed with a key that is gone', now())`),
    );
    expect(await run()).toEqual([expect.objectContaining({ unreadable: 1, refreshed: 0 })]);
  });

  async function run() {
    await world.database.asSystem('spec', (tx) => world.sender.send(tx, renewConnections, {}));
    expect(await world.run()).toEqual([{ name: 'connections.refresh', outcome: 'done' }]);
    return world.lines.filter(({ event }) => event === 'connections.refreshed');
  }

  it('is sent every five minutes', () => {
    expect(renewConnections.schedule).toEqual({ cron: '*/5 * * * *', timeZone: 'UTC', data: {} });
  });
});
