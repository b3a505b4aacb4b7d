import { type Environment, traitsOf } from './environment.js';

/** Where the commented example of an environment's variables is committed. */
export function examplePathOf(environment: Environment): string {
  return traitsOf(environment).mayBeStatedByFile ? '.env.example' : `docker/env/${environment}.env.example`;
}
