// Runs that the specs of this folder start and inspect from outside.
import { presetWithSample } from '../../../../../tools/jest.preset.mjs';

export default {
  ...presetWithSample,
  displayName: 'proof',
  rootDir: '.',
  testMatch: ['<rootDir>/fixtures/**/*.fixture.ts'],
};
