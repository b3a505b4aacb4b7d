import preset from '../tools/jest.preset.mjs';

// Two files at a time: each has names of its own on the engine that they share.
export default { ...preset, displayName: 'docker', maxWorkers: 2, testTimeout: 600_000, randomize: false };
