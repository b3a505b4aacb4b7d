import { startWorker } from '@airlock/service/start';

await startWorker({ program: 'worker', version: '0.0.0', load: async () => (await import('./product.mjs')).product });
