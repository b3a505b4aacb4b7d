import preset from '../../tools/jest.preset.mjs';

const isQuick = process.env.AIRLOCK_SUITE === 'quick';

/**
 * Whole deploys against a real engine. The quick run has two files at a time, which mostly wait for the engine, and leaves
 * out the attacks on the command itself. The whole run has one at a time: with 50,000 requests an update on a busy machine,
 * an API sheds load and an edge misses its health checks, as they should, and both count as lost requests.
 */
export default {
  ...preset,
  displayName: 'deploy',
  testMatch: ['<rootDir>/src/suite/*.suite.ts'],
  testPathIgnorePatterns: isQuick ? ['/hostile\\.', '/interrupted\\.'] : [],
  globalSetup: '<rootDir>/src/suite/global-setup.mjs',
  globalTeardown: '<rootDir>/src/suite/global-teardown.mjs',
  testTimeout: 15 * 60_000,
  maxWorkers: isQuick ? 2 : 1,
  randomize: false,
};
