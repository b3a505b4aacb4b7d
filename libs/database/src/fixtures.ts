/** Servers, databases, migrations and checks for the specs of this library, of database-dev, of the service and of the model. */
export { createAccounts } from './migrate/accounts.fixture.js';
export { useScratchCluster } from './migrate/scratch-database.fixture.js';
export { ask, createAddresses, runAs } from './provision/provision.fixture.js';
export { createDatabase, runRefresh } from './refresh/refresh.fixture.js';
export { startHangingProxy } from './wire/hanging-proxy.fixture.js';
export {
  authentication,
  challenge,
  CLEARTEXT,
  message,
  NOTICE,
  SASL,
  startFakeServer,
} from './wire/fake-server.fixture.js';
