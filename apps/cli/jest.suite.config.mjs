import preset from '../../tools/jest.preset.mjs';

const isQuick = process.env.AIRLOCK_SUITE === 'quick';

/**
 * Whole deploys against a real engine. One file after the other, because a figure is part of the result. The quick run,
 * whose figures count for nothing, does two at once, and leaves out the attacks on the command itself.
 */
export default {
  ...preset,
  displayName: 'deploy',
  testMatch: ['<rootDir>/src/deploy/suite/*.suite.ts'],
  testPathIgnorePatterns: isQuick ? ['/hostile\\.', '/interrupted\\.'] : [],
  globalSetup: '<rootDir>/src/deploy/suite/global-setup.mjs',
  globalTeardown: '<rootDir>/src/deploy/suite/global-teardown.mjs',
  testTimeout: 15 * 60_000,
  maxWorkers: isQuick ? 2 : 1,
  randomize: false,
};
