import preset from '../../tools/jest.preset.mjs';

// Whole deploys against a real engine. One after the other: they share its processors, and a figure is part of the result.
export default {
  ...preset,
  displayName: 'deploy',
  testMatch: ['<rootDir>/src/deploy/suite/*.suite.ts'],
  testTimeout: 15 * 60_000,
  maxWorkers: 1,
  randomize: false,
};
