import { ConfigError } from '../values/config-error.js';
import type { Config } from './create-config.js';
import { inspectConfig, type LoadOptions } from './inspect-config.js';

/**
 * The one way to a config: the API, the migration command, seeds and tests all come through here. Reading the real
 * process environment also sets NODE_ENV, for libraries that are loaded later.
 *
 * @throws ConfigError with everything that is wrong
 */
export function loadConfig(options: LoadOptions = {}): Config {
  const { config, violations } = inspectConfig(options);
  if (!config) throw new ConfigError(violations);
  return config;
}
