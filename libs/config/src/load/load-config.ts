import { ConfigError } from '../values/config-error.js';
import type { Config } from './create-config.js';
import { inspectConfig, type LoadOptions } from './inspect-config.js';

/**
 * Loads the config for all programs, commands and tests. Reading the real process environment also sets NODE_ENV, for
 * libraries that are loaded later.
 *
 * @throws ConfigError with all violations
 */
export function loadConfig(options: LoadOptions = {}): Config {
  const { config, violations } = inspectConfig(options);
  if (!config) throw new ConfigError(violations);
  return config;
}
