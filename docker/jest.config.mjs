import preset from '../tools/jest.preset.mjs';

// Two files at a time: each uses its own names on the shared engine.
export default {
  ...preset,
  displayName: 'docker',
  maxWorkers: 2,
  testTimeout: 600_000,
  randomize: false,
  // The addresses of containers.
  testEnvironmentOptions: {
    ...preset.testEnvironmentOptions,
    reaches: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  },
};
