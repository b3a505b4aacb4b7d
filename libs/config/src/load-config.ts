import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigError } from './config-error.js';
import { createConfig, type Config } from './create-config.js';
import { ENVIRONMENTS, type Environment } from './environment.js';
import { type EnvironmentVariables, exportNodeEnv, readProcessEnvironment } from './process-environment.js';
import { validate } from './validate.js';

export interface LoadOptions {
  /** The process environment, unless given. */
  readonly env?: EnvironmentVariables;
  /** The folder whose .env files count; the working folder unless given. */
  readonly cwd?: string;
}

/** @throws ConfigError with everything that is wrong */
export function loadConfig(options: LoadOptions = {}): Config {
  const env = options.env ?? readProcessEnvironment();
  const cwd = options.cwd ?? process.cwd();
  const environment = (env['ENVIRONMENT'] ?? readFile(join(cwd, '.env'))['ENVIRONMENT']) as Environment;
  if (!ENVIRONMENTS.includes(environment)) {
    throw new ConfigError([
      {
        name: 'ENVIRONMENT',
        problem: `is ${JSON.stringify(environment)}`,
        expected: ENVIRONMENTS.join(', '),
        mend: 'export ENVIRONMENT, or run `airlock setup`',
      },
    ]);
  }
  const file =
    environment === 'development' || environment === 'testing'
      ? readFile(join(cwd, `.env.${environment}`), join(cwd, '.env'))
      : {};
  const { values, violations } = validate({ ...file, ...env, ENVIRONMENT: environment }, environment);
  if (!values) throw new ConfigError(violations);
  if (!options.env) exportNodeEnv(environment);
  return createConfig(values);
}

function readFile(...paths: string[]): Record<string, string | undefined> {
  for (const path of paths) {
    try {
      return parseEnv(readFileSync(path, 'utf8'));
    } catch {
      continue;
    }
  }
  return {};
}
