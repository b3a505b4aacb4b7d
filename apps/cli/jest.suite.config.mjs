import preset from '../../tools/jest.preset.mjs';

/**
 * Whole deploys against a real engine, one file after the other: a figure is part of the result, and beside a second suite
 * the API sheds load, as it should, which counts as lost requests. The quick run (`test-deploy:quick` in package.json) keeps
 * that for the real image; it runs two of the other files at a time, and leaves out the attacks on the command itself.
 */
export default {
  ...preset,
  displayName: 'deploy',
  testMatch: ['<rootDir>/src/deploy/suite/*.suite.ts'],
  globalSetup: '<rootDir>/src/deploy/suite/global-setup.mjs',
  globalTeardown: '<rootDir>/src/deploy/suite/global-teardown.mjs',
  testTimeout: 15 * 60_000,
  maxWorkers: 1,
  randomize: false,
};
