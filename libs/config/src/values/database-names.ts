/** Finds the environment that names of databases and hosts belong to, word by word. */
import { type Environment, environmentsWithout, traitsOf } from './environment.js';

/** Names of test databases and of their derived databases: templates, workers, clones. */
const TEST_NAME = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*_test(?:_tpl|_w\d{1,4}|_[0-9a-f]{8})*$/;

/** PostgreSQL silently truncates longer names, so two names could become equal. */
const MAX_NAME_BYTES = 63;
const [OWNER, CLONE] = ['_owner', '_0a1b2c3d'];

/** The longest name whose derived names, the owner role and clones of tests, are not truncated. */
export function maxDatabaseNameBytes(environment: Environment): number {
  return MAX_NAME_BYTES - (traitsOf(environment).mayBeReset ? CLONE : OWNER).length;
}

export function isTestDatabaseName(name: string): boolean {
  return TEST_NAME.test(name) && findWordOf(name, environmentsWithout('runsLocally')) === undefined;
}

/**
 * The first word of the name that belongs to one of the environments: `app_prod2` holds prod, `products` holds none.
 */
export function findWordOf(name: string, environments: readonly Environment[]): string | undefined {
  const known = environments.flatMap((environment) => traitsOf(environment).words);
  return splitWords(name).find((word) => known.includes(word));
}

function splitWords(name: string): string[] {
  const spaced = name.replace(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase();
  return spaced.split(/[^a-z0-9]+/).flatMap((word) => [word, word.replace(/\d+$/, '')]);
}
