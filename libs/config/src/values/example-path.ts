import { type Environment, traitsOf } from './environment.js';

/** The path of the committed .env example of an environment. */
export function examplePathOf(environment: Environment): string {
  return traitsOf(environment).mayBeStatedByFile ? '.env.example' : `docker/env/${environment}.env.example`;
}
