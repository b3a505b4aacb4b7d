import preset from '../tools/jest.preset.mjs';

// The last project to start: it may use both cores that are left.
export default { ...preset, displayName: 'checks', maxWorkers: 2 };
