import cluster from 'node:cluster';
import { type Config, ConfigError, loadConfig } from '@airlock/config';
import { onLeaveSignals } from '@airlock/health';

// Until there is something to close, leaving is all there is to do.
onLeaveSignals(() => process.exit(0));
const config = load();
if (config) await start(config);

/** A wrong configuration is explained line by line; its stack would help nobody. */
function load(): Config | undefined {
  try {
    return loadConfig({ program: 'api' });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exitCode = error.exitCode;
    return undefined;
  }
}

// Loaded only now: a configuration error is shown before a framework is read, and who supervises reads none at all.
async function start(config: Config): Promise<void> {
  try {
    if (config.service.workers > 1 && cluster.isPrimary) {
      const { supervise } = await import('./supervise.js');
      await supervise(config);
    } else {
      const { serve } = await import('./serve.js');
      await serve(config);
    }
  } catch (error) {
    const { reportStartError } = await import('./report-start-error.js');
    await reportStartError(error, config);
    // What has been opened by then would keep the process alive.
    process.exit(1);
  }
}
