import preset from '../tools/jest.preset.mjs';

// One file after the other: they share an engine. In order, because a build comes before what runs it.
export default { ...preset, displayName: 'docker', maxWorkers: 1, testTimeout: 600_000, randomize: false };
