import { presetWithServers } from '../../tools/jest.preset.mjs';

export default { ...presetWithServers, displayName: 'jobs' };
