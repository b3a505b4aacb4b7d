import { availableParallelism } from 'node:os';
import preset from '../tools/jest.preset.mjs';

// The last project that `make test` starts: on two cores it may use both.
export default { ...preset, displayName: 'checks', maxWorkers: Math.max(2, availableParallelism() - 1) };
