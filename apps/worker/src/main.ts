import { startWorker } from '@airlock/service/start';
import { readPackageVersion } from './package-version.js';

await startWorker({
  program: 'worker',
  version: readPackageVersion(),
  load: async () => (await import('./worker.js')).worker,
});
