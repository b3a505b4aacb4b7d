import cluster from 'node:cluster';
import { ConfigError, loadConfig } from '@airlock/config';

try {
  const config = loadConfig();
  // Loaded only now: a configuration error is shown before a framework is read, and who supervises reads none at all.
  if (config.service.workers > 1 && cluster.isPrimary) {
    const { supervise } = await import('./supervise.js');
    await supervise(config);
  } else {
    const { serve } = await import('./serve.js');
    await serve(config);
  }
} catch (error) {
  process.exitCode = report(error);
}

/** A wrong configuration is explained line by line; its stack would help nobody. */
function report(error: unknown): number {
  if (error instanceof ConfigError) {
    console.error(error.message);
    return error.exitCode;
  }
  console.error(error);
  return 1;
}
