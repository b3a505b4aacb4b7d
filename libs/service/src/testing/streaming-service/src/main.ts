import { startService } from '../../../lifecycle/start-service.js';

await startService({
  program: 'api',
  version: '0.1.0',
  load: async () => (await import('./streaming-service.fixture.js')).streamingService,
});
