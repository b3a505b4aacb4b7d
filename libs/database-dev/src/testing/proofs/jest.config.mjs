// The runs that the specs of this folder start and look at from outside.
import { presetWithSample } from '../../../../../tools/jest.preset.mjs';

export default {
  ...presetWithSample,
  displayName: 'proof',
  rootDir: '.',
  testMatch: ['<rootDir>/fixtures/**/*.fixture.ts'],
};
