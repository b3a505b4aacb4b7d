// The base of every project's jest.config.mjs.
import { fileURLToPath } from 'node:url';

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));

const preset = {
  testEnvironment: pathOf('./jest/environment.mjs'),
  testEnvironmentOptions: { customExportConditions: ['@airlock/source', 'node', 'node-addons'] },
  testMatch: ['<rootDir>/src/**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': pathOf('./jest/transformer.mjs') },
  cacheDirectory: pathOf('../node_modules/.cache/jest'),
  // Names the folder of compiled files, which is the same for all projects.
  id: 'airlock',
  randomize: true,
  injectGlobals: false,
  // A limit against hanging, not a measurement: a busy machine must not fail a test.
  testTimeout: 60_000,
  reporters: ['default', pathOf('./jest/summary-reporter.mjs')],
};

export default preset;

/** For projects whose tests use PostgreSQL or Redis. */
export const presetWithServers = createPresetWithServers('@airlock/model');

/** For libraries that do not use the product's tables: their test databases have their own model. */
export const presetWithSample = createPresetWithServers('@airlock/database/sample');

/** The same for services, which have jobs. */
export const presetWithSampleAndJobs = createPresetWithServers('@airlock/database/sample-with-jobs');

/** `source`: the module that exports `model`. */
function createPresetWithServers(source) {
  return {
    ...preset,
    globalSetup: pathOf('./jest/global-setup.mjs'),
    globalTeardown: pathOf('./jest/global-teardown.mjs'),
    testEnvironmentOptions: {
      ...preset.testEnvironmentOptions,
      model: source,
      services: pathOf('../libs/database-dev/src/testing/fixture/services.ts'),
    },
  };
}
