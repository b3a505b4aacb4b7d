import * as library from '@airlock/provider-connections';
import { useConnections } from '@airlock/provider-connections/testing';
import * as service from '@airlock/service';
import * as outbound from '@airlock/service/outbound';
import { describe, expect, it } from '@jest/globals';
import * as nest from '@nestjs/common';
import * as zod from 'zod';
import { readCode, runCode } from '../testing/page-code.fixture.js';
import { useTestApi } from '../testing/use-test-api.fixture.js';

/** The provider of the page, which is another one here. */
const ISSUER = `import { issuer } from 'issuer';`;
type Call = (method: 'POST' | 'PUT', path: string, body?: object) => Promise<unknown>;

const [client = '', controller = '', ...others] = readCode('connections.md');
const modules = {
  '@airlock/provider-connections': library,
  '@airlock/service': service,
  '@airlock/service/outbound': outbound,
  '@nestjs/common': nest,
  zod,
};
const { connect, finish } = runCode(client, {}) as {
  connect: (call: Call, provider: string) => Promise<string>;
  finish: (call: Call, hash: string) => Promise<string>;
};
const { AcmeProfileController } = runCode(
  controller
    .replace(`fetch('https://login.acme.com/me'`, 'fetch(`${issuer()}/me`')
    .replace('@Controller', `${ISSUER}\n@Controller`),
  { ...modules, issuer: { issuer: () => world.acme.issuer } },
) as { AcmeProfileController: nest.Type };

@nest.Module({ imports: [library.ProviderConnectionsModule], controllers: [AcmeProfileController] })
class AcmeModule {}

const world = useConnections({
  createApp: (configure) => useTestApi({ configure, imports: [{ module: AcmeModule }] }),
});

describe('docs/connections.md', () => {
  const call: Call = async (method, url, payload) => {
    const response = await world.app.request({ as: 'user_1', method, url, ...(payload && { payload }) });
    if (response.statusCode >= 400) throw new Error(response.body);
    return response.body === '' ? {} : response.json();
  };
  const comeBack = async (address: string) => {
    const { search } = new URL(await world.acme.visit(address));
    const outcome = await world.app.app.nest.get(library.Attempts).receive('acme', search.slice(1));
    return `#${new URLSearchParams({ provider: 'acme', ...outcome }).toString()}`;
  };

  it('has two blocks', () => expect([controller === '', others]).toEqual([false, []]));

  it('connects an account, calls the provider and refreshes the tokens', async () => {
    expect(await finish(call, await comeBack(await connect(call, 'acme')))).toBe('connected');
    const profile = await world.app.request({ as: 'user_1', url: '/api/v1/acme-profile' });
    expect([profile.statusCode, profile.json()]).toEqual([200, { sub: 'account_1' }]);
    expect((await world.app.request({ as: 'user_2', url: '/api/v1/acme-profile' })).statusCode).toBe(404);
    expect(await world.app.app.nest.get(library.ConnectionUpkeep).run()).toMatchObject({ refreshed: 1 });
  });

  it('is told when the user refuses', async () => {
    world.acme.isRefused = true;
    expect(await finish(call, await comeBack(await connect(call, 'acme')))).toBe('access_denied');
  });
});
