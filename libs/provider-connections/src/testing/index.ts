export { TestProvider, type TestProviderOptions } from './test-provider.fixture.js';
export { type ConnectionsWorld, useConnections } from './use-connections.fixture.js';
