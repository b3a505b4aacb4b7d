/** The only file that touches process.env (lint rule): everything else is given the config. */
import type { Environment } from './environment.js';

export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

export function readProcessEnvironment(): EnvironmentVariables {
  return { ...process.env };
}

/** What libraries read as NODE_ENV; it follows from ENVIRONMENT and is never asked for. */
export function deriveNodeEnv(environment: Environment): 'development' | 'test' | 'production' {
  if (environment === 'development') return 'development';
  return environment === 'testing' ? 'test' : 'production';
}

/** Tells libraries that are loaded later; a NODE_ENV that was set is left as it is, the rules have judged it. */
export function exportNodeEnv(environment: Environment): void {
  process.env['NODE_ENV'] ??= deriveNodeEnv(environment);
}
