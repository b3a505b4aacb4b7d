import { startService } from '@airlock/service/start';
import { readPackageVersion } from './package-version.js';

await startService({ version: readPackageVersion(), load: async () => (await import('./api.js')).api });
