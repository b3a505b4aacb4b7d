import { startWorker } from '@airlock/service/start';
import { readWorkerVersion } from './worker-version.js';

await startWorker({
  program: 'worker',
  version: readWorkerVersion(),
  load: async () => (await import('./worker.js')).worker,
});
