/** The only file that uses process.env (lint rule). All other code gets the config. */
import { type Environment, type Traits, traitsOf } from '../values/environment.js';
import type { EnvironmentVariables } from '../values/environment-variables.js';
import { withoutFilesOfNx } from './nx-environment.js';

/**
 * @returns the variables that the user exported, without those that Nx copied from .env files before this process
 * started
 */
export function readProcessEnvironment(): EnvironmentVariables {
  const env = { ...process.env };
  fromNx ??= listNamesFromNx(env);
  for (const [name, text] of fromNx) if (env[name] === text) delete env[name];
  return env;
}

/** Read once, because an edited file no longer shows which variables Nx copied from it. */
let fromNx: ReadonlyMap<string, string | undefined> | undefined;

function listNamesFromNx(env: EnvironmentVariables): ReadonlyMap<string, string | undefined> {
  const kept = withoutFilesOfNx(env);
  return new Map(Object.entries(env).filter(([name]) => !(name in kept)));
}

/** The value of NODE_ENV for libraries. It is derived from ENVIRONMENT and cannot be configured. */
export function deriveNodeEnv(environment: Environment): Traits['nodeEnv'] {
  return traitsOf(environment).nodeEnv;
}

/** Sets NODE_ENV for libraries that are loaded later. A value that is already set was checked by the rules. */
export function exportNodeEnv(environment: Environment): void {
  process.env['NODE_ENV'] ??= deriveNodeEnv(environment);
}
