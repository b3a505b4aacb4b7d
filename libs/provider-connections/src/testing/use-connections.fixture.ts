import { type Config, Secret } from '@airlock/config';
import { model } from '@airlock/model';
import type { ServiceDefinition } from '@airlock/service';
import { describeProduct } from '@airlock/service/product';
import { type TestApp, useTestApp } from '@airlock/service/testing';
import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { Module } from '@nestjs/common';
import { Attempts } from '../attempts.js';
import { ProviderConnectionsModule } from '../provider-connections.module.js';
import { TestProvider } from './test-provider.fixture.js';

@Module({ imports: [ProviderConnectionsModule] })
class ConnectionsApp {}

const definition: ServiceDefinition = {
  ...describeProduct(model, []),
  title: 'Connections',
  prefix: 'api/v1',
  module: ConnectionsApp,
  constraints: [],
};

export const CALLBACK_URL = 'http://127.0.0.1:8183';
export const KEYS = new Secret('the-first-key-of-the-tests-000000000,the-second-key-of-the-tests-00000000');

export interface ConnectionsWorld {
  readonly app: TestApp;
  /** Two providers, `acme` and `other`. */
  readonly acme: TestProvider;
  readonly other: TestProvider;
}

type CreateApp = (configure: (config: Config) => Config) => TestApp;

/** Real providers, and an app whose configuration names them. Default: an app without routes. */
export function useConnections({ createApp = createPlainApp }: { createApp?: CreateApp } = {}): ConnectionsWorld {
  const world = {} as { acme: TestProvider; other: TestProvider };
  beforeAll(async () => {
    world.acme = await TestProvider.start({ name: 'acme', callbackUrl: CALLBACK_URL, accessTokenSeconds: 60 });
    world.other = await TestProvider.start({ name: 'other', callbackUrl: CALLBACK_URL });
  });
  const app = createApp((config) => configure(config, [world.acme, world.other]));
  beforeEach(
    () =>
      void Object.assign(world.acme, {
        account: 'account_1',
        isRefused: false,
        isRotating: true,
        intercept: undefined,
      }),
  );
  afterAll(() => Promise.all([world.acme, world.other].map((provider) => provider.stop())));
  return Object.assign(world, { app });
}

function createPlainApp(configure: (config: Config) => Config): TestApp {
  return useTestApp(definition, { configure });
}

function configure(config: Config, providers: readonly TestProvider[]): Config {
  const connections = {
    providers: providers.map((provider) => provider.config),
    keys: KEYS,
    callbackUrl: CALLBACK_URL,
    page: 'http://127.0.0.1:3000/connections',
  };
  return { ...config, connections };
}

/** A user connects an account, from the start to the confirmation. */
export async function connect({ app, acme }: ConnectionsWorld, userId: string, provider = acme): Promise<void> {
  const attempts = app.app.nest.get(Attempts);
  const { authorizationUrl } = await attempts.start(userId, provider.name);
  const { search } = new URL(await provider.visit(authorizationUrl));
  const outcome = await attempts.receive(provider.name, search.slice(1));
  if (!('confirmation' in outcome)) throw new Error(`the user was sent back with ${outcome.reason}`);
  await attempts.confirm(userId, provider.name, outcome.confirmation);
}
