import { startService } from '@airlock/service/start';
import { readPackageVersion } from './package-version.js';

await startService({ program: 'api', version: readPackageVersion(), load: async () => (await import('./api.js')).api });
