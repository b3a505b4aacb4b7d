import preset from '../../tools/jest.preset.mjs';

/** Whole, or a part of the quick run: `quick`, then `quick-alone`. */
const suite = process.env.AIRLOCK_SUITE ?? 'whole';
const ATTACKS = ['/hostile\\.', '/interrupted\\.'];
const REAL_API = '/real-image\\.';

/**
 * Whole deploys against a real engine. The quick run leaves out the attacks on the command itself and has three files at
 * a time, which mostly wait for the engine. The file with the real API runs alone: on a busy machine the API sheds load,
 * as it should, and that counts as lost requests. For the same reason the whole run, with ten times the requests, has one
 * at a time.
 */
export default {
  ...preset,
  displayName: 'deploy',
  testMatch: [`<rootDir>/src/suite/${suite === 'quick-alone' ? 'real-image' : '*'}.suite.ts`],
  testPathIgnorePatterns: suite === 'quick' ? [...ATTACKS, REAL_API] : [],
  globalSetup: '<rootDir>/src/suite/global-setup.mjs',
  globalTeardown: '<rootDir>/src/suite/global-teardown.mjs',
  testTimeout: 15 * 60_000,
  maxWorkers: suite === 'quick' ? 3 : 1,
  randomize: false,
};
