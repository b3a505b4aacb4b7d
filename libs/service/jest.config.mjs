import { presetWithSampleAndJobs } from '../../tools/jest.preset.mjs';

export default { ...presetWithSampleAndJobs, displayName: 'service' };
