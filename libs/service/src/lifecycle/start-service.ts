import cluster from 'node:cluster';
import { type Config, ConfigError, type ProgramName } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { onStopSignals } from '@airlock/health';
import type { ServiceDefinition } from '../app/service-definition.js';

export interface StartOptions {
  /** Its name in the table of programs, which determines the variables that it reads. */
  readonly program: ProgramName;
  /** The version of the app's package. */
  readonly version: string;
  /** Imports the app. Called only if the configuration is valid, and never in the supervisor. */
  readonly load: () => Promise<ServiceDefinition>;
}

/** The whole life of a process of the app: load the configuration, start, serve, drain. */
export async function startService(options: StartOptions): Promise<void> {
  // Until something is open, a signal simply ends the process.
  onStopSignals(() => process.exit(0));
  const config = readConfig(options.program);
  if (config) await start(config, options);
}

/** Prints each error of the configuration on its own line, without a stack. */
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

// Imports are lazy: a configuration error is shown before a framework is loaded, and the supervisor loads none.
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
    // Connections and servers that are already open would keep the process alive.
    process.exit(1);
  }
}
