import cluster from 'node:cluster';
import { type Config, ConfigError, type ProgramName } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { onStopSignals } from '@airlock/health';
import type { ProductDefinition, ServiceDefinition } from '../app/service-definition.js';

interface StartOptions<Definition> {
  /** Its name in the table of programs, which determines the variables that it reads. */
  readonly program: ProgramName;
  /** The version of the app's package. */
  readonly version: string;
  /** Imports the app. Called only if the configuration is valid, and never in the supervisor. */
  readonly load: () => Promise<Definition>;
}

/** The whole life of a process that serves requests: load the configuration, start, serve, drain. */
export async function startService({ program, version, load }: StartOptions<ServiceDefinition>): Promise<void> {
  // Imports are lazy: a configuration error is shown before a framework is loaded, and the supervisor loads none.
  await start({ program, version }, async (config) => {
    if (config.service.workers > 1 && cluster.isPrimary) {
      const { supervise } = await import('./supervise.js');
      return supervise(config, version);
    }
    const [{ serve }, definition] = await Promise.all([import('./serve-app.js'), load()]);
    return serve(config, { definition, version });
  });
}

/** The whole life of a process that runs jobs. */
export async function startWorker({ program, version, load }: StartOptions<ProductDefinition>): Promise<void> {
  await start({ program, version }, async (config) => {
    const [{ runWorker }, definition] = await Promise.all([import('./run-worker.js'), load()]);
    return runWorker(config, { definition, version });
  });
}

type Program = Omit<StartOptions<never>, 'load'>;

async function start({ program, version }: Program, run: (config: Config) => Promise<void>): Promise<void> {
  // Until something is open, a signal simply ends the process.
  onStopSignals(() => process.exit(0));
  const config = readConfig(program);
  if (!config) return;
  try {
    await run(config);
  } catch (error) {
    const { reportStartError } = await import('./report-start-error.js');
    await reportStartError(error, { config, version });
    // Connections and servers that are already open would keep the process alive.
    process.exit(1);
  }
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
