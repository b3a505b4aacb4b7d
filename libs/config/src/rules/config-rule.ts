import type { DatabaseAddress } from '../values/database-url.js';
import type { Violation } from '../values/config-error.js';
import { type Environment, ENVIRONMENTS, environmentsWithout } from '../values/environment.js';
import { parseRedisUrl } from '../values/redis-url.js';
import type { EnvironmentVariables } from '../values/environment-variables.js';
import type { Values, VariableName } from '../variables/schema.js';
import type { Texts } from '../variables/schema.js';

/** What a rule may look at. A value that could not be read is absent: it has its own violation already. */
export interface Facts {
  readonly environment: Environment;
  readonly values: Partial<Values>;
  readonly texts: Texts;
  /** The whole environment of the process: Node and its libraries read variables that the schema does not know. */
  readonly env: EnvironmentVariables;
  /** What relative paths start from. */
  readonly cwd: string | undefined;
}

export interface ConfigRule {
  /** A row of the table in docs/configuration.md: what is refused. */
  readonly title: string;
  readonly environments: readonly Environment[];
  readonly find: (facts: Facts) => readonly Violation[];
}

export const EVERYWHERE = ENVIRONMENTS;
export const DEPLOYED = environmentsWithout('runsLocally');
export const LASTING = environmentsWithout('isDisposable');

/** A rule of one answer: the violation where the condition holds. */
export function violationIf(condition: boolean | undefined, violation: Violation): readonly Violation[] {
  return condition ? [violation] : [];
}

export type DatabaseVariable = 'DATABASE_URL' | 'DATABASE_MIGRATION_URL' | 'DATABASE_ADMIN_URL';
export const DATABASE_VARIABLES: readonly DatabaseVariable[] = [
  'DATABASE_URL',
  'DATABASE_MIGRATION_URL',
  'DATABASE_ADMIN_URL',
];

/** Every database address that is set and could be read. */
export function databasesOf({ values }: Facts): { name: DatabaseVariable; address: DatabaseAddress }[] {
  return DATABASE_VARIABLES.flatMap((name) => {
    const address = values[name];
    return address ? [{ name, address }] : [];
  });
}

/** Where data lives: the databases and Redis. */
export function dataHostsOf(facts: Facts): { name: VariableName; host: string }[] {
  const databases = databasesOf(facts).map(({ name, address }) => ({ name, host: address.host }));
  const redis = facts.values.REDIS_URL && facts.texts.REDIS_URL;
  return redis ? [...databases, { name: 'REDIS_URL', host: parseRedisUrl(redis, 'REDIS_URL').host }] : databases;
}
