import preset from '../../tools/jest.preset.mjs';

const isQuick = process.env.AIRLOCK_SUITE === 'quick';

/**
 * Whole deploys against a real engine, one file after the other. With two at once on a busy machine, an API sheds load
 * and an edge fails health checks, as designed, and both count as lost requests. The quick run leaves out the
 * attacks on the command itself.
 */
export default {
  ...preset,
  displayName: 'deploy',
  testMatch: ['<rootDir>/src/suite/*.suite.ts'],
  testPathIgnorePatterns: isQuick ? ['/hostile\\.', '/interrupted\\.'] : [],
  globalSetup: '<rootDir>/src/suite/global-setup.mjs',
  globalTeardown: '<rootDir>/src/suite/global-teardown.mjs',
  testTimeout: 15 * 60_000,
  maxWorkers: 1,
  randomize: false,
};
