import { startService } from '@airlock/service/start';
import { readPackageVersion } from './package-version.js';

await startService({
  program: 'callback',
  version: readPackageVersion(),
  load: async () => (await import('./callback.js')).callback,
});
