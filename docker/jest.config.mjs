import preset from '../tools/jest.preset.mjs';

// Two files at a time: each uses its own names on the shared engine.
export default { ...preset, displayName: 'docker', maxWorkers: 2, testTimeout: 600_000, randomize: false };
