import cluster from 'node:cluster';
import { type Config, ConfigError, type ProgramName } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { onLeaveSignals } from '@airlock/health';
import type { ServiceDefinition } from '../app/service-definition.js';

export interface StartOptions {
  /** Its name in the table of programs, which says what it reads. */
  readonly program: ProgramName;
  /** The version of the app's package. */
  readonly version: string;
  /** Imports the app: called only when the configuration is right, and not in the process that supervises. */
  readonly load: () => Promise<ServiceDefinition>;
}

/** The whole life of a process of the app: load the configuration, start, serve, drain. */
export async function startService(options: StartOptions): Promise<void> {
  // Until there is something to close, leaving is all there is to do.
  onLeaveSignals(() => process.exit(0));
  const config = readConfig(options.program);
  if (config) await start(config, options);
}

/** A wrong configuration is explained line by line; its stack would help nobody. */
function readConfig(program: ProgramName): Config | undefined {
  try {
    return loadConfig({ program });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exitCode = error.exitCode;
    return undefined;
  }
}

// Loaded only now: a configuration error is shown before a framework is read, and who supervises reads none at all.
async function start(config: Config, { version, load }: StartOptions): Promise<void> {
  try {
    if (config.service.workers > 1 && cluster.isPrimary) {
      const { supervise } = await import('./supervise.js');
      await supervise(config, version);
    } else {
      const [{ serve }, definition] = await Promise.all([import('./serve-app.js'), load()]);
      await serve(config, { definition, version });
    }
  } catch (error) {
    const { reportStartError } = await import('./report-start-error.js');
    await reportStartError(error, { config, version });
    // What has been opened by then would keep the process alive.
    process.exit(1);
  }
}
