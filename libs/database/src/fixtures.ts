/** Servers, databases and migrations for the specs of this library and of database-dev. */
export { createAccounts } from './migrate/accounts.fixture.js';
export { useScratchCluster } from './migrate/scratch-database.fixture.js';
export { ask, createAddresses, runAs } from './provision/provision.fixture.js';
export { startDeafProxy } from './wire/deaf-proxy.fixture.js';
export {
  authentication,
  challenge,
  CLEARTEXT,
  message,
  NOTICE,
  SASL,
  startFakeServer,
} from './wire/fake-server.fixture.js';
