// The runs that the specs of this folder start and look at from outside.
import { presetWithServers } from '../../../../../tools/jest.preset.mjs';

export default {
  ...presetWithServers,
  displayName: 'proof',
  rootDir: '.',
  testMatch: ['<rootDir>/fixtures/**/*.fixture.ts'],
};
