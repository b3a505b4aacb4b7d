import { presetWithSample } from '../../tools/jest.preset.mjs';

export default { ...presetWithSample, displayName: 'service' };
