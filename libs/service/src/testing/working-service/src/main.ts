import { startWorker } from '../../../lifecycle/start-service.js';

await startWorker({
  program: 'worker',
  version: '0.0.0',
  load: async () => (await import('./working-service.fixture.js')).workingService,
});
