/** The only file that touches process.env (lint rule): everything else is given the config. */
import { type Environment, type Traits, traitsOf } from '../values/environment.js';
import type { EnvironmentVariables } from '../values/environment-variables.js';
import { withoutFilesOfNx } from './nx-environment.js';

/** @returns what the user exported, without what Nx copied from .env files as they were when this process started */
export function readProcessEnvironment(): EnvironmentVariables {
  const env = { ...process.env };
  fromNx ??= listNamesFromNx(env);
  for (const [name, text] of fromNx) if (env[name] === text) delete env[name];
  return env;
}

/** Read once: after an edit of a file, it no longer tells what came from it. */
let fromNx: ReadonlyMap<string, string | undefined> | undefined;

function listNamesFromNx(env: EnvironmentVariables): ReadonlyMap<string, string | undefined> {
  const kept = withoutFilesOfNx(env);
  return new Map(Object.entries(env).filter(([name]) => !(name in kept)));
}

/** What libraries read as NODE_ENV; it follows from ENVIRONMENT and is never asked for. */
export function deriveNodeEnv(environment: Environment): Traits['nodeEnv'] {
  return traitsOf(environment).nodeEnv;
}

/** Tells libraries that are loaded later; a NODE_ENV that was set is left as it is, the rules have judged it. */
export function exportNodeEnv(environment: Environment): void {
  process.env['NODE_ENV'] ??= deriveNodeEnv(environment);
}
