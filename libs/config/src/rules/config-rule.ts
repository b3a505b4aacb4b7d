import type { DatabaseAddress } from '../values/database-url.js';
import type { Violation } from '../values/config-error.js';
import { type Environment, ENVIRONMENTS, environmentsWithout } from '../values/environment.js';
import type { BucketAddress } from '../values/storage-url.js';
import { parseRedisUrl } from '../values/redis-url.js';
import type { EnvironmentVariables } from '../values/environment-variables.js';
import {
  databaseVariables,
  type DatabaseVariable,
  type StorageVariable,
  storageVariables,
  type Texts,
  type Values,
  type VariableName,
} from '../variables/schema.js';

/** The input of a rule. Invalid values are absent, because they already have their own violation. */
export interface Facts {
  readonly environment: Environment;
  readonly values: Partial<Values>;
  readonly texts: Texts;
  /** The whole process environment, because Node and its libraries read variables that are not in the schema. */
  readonly env: EnvironmentVariables;
  /** The base of relative paths. */
  readonly cwd: string | undefined;
}

export interface ConfigRule {
  /** The rejected configuration, as a row of the table in docs/configuration.md. */
  readonly title: string;
  readonly environments: readonly Environment[];
  readonly find: (facts: Facts) => readonly Violation[];
}

export const EVERYWHERE = ENVIRONMENTS;
export const DEPLOYED = environmentsWithout('runsLocally');
export const LASTING = environmentsWithout('isDisposable');

/** Returns the violation if the condition is true. */
export function violationIf(condition: boolean | undefined, violation: Violation): readonly Violation[] {
  return condition ? [violation] : [];
}

/** Every database address that is set and valid. */
export function databasesOf({ values }: Facts): { name: DatabaseVariable; address: DatabaseAddress }[] {
  return databaseVariables.flatMap((name) => {
    const address = values[name];
    return address ? [{ name, address }] : [];
  });
}

/** Every bucket that is set and valid. */
export function bucketsOf({ values }: Pick<Facts, 'values'>): { name: StorageVariable; bucket: BucketAddress }[] {
  return storageVariables.flatMap((name) => {
    const address = values[name];
    return address?.kind === 'bucket' ? [{ name, bucket: address }] : [];
  });
}

/** The names of databases and buckets, which often say whose they are. */
export function dataNamesOf(facts: Facts): { name: VariableName; what: string; text: string }[] {
  const databases = databasesOf(facts).map(({ name, address }) => ({ name, what: 'database', text: address.database }));
  const buckets = bucketsOf(facts).map(({ name, bucket: { bucket } }) => ({ name, what: 'bucket', text: bucket }));
  return [...databases, ...buckets];
}

/** The hosts that get data: the databases, Redis, the storages and the mail server. */
export function dataHostsOf(facts: Facts): { name: VariableName; host: string }[] {
  const redis = facts.values.REDIS_URL && facts.texts.REDIS_URL;
  const { SMTP_URL: smtp } = facts.values;
  return [
    ...databasesOf(facts).map(({ name, address }) => ({ name, host: address.host })),
    ...(redis ? [{ name: 'REDIS_URL' as const, host: parseRedisUrl(redis, 'REDIS_URL').host }] : []),
    ...bucketsOf(facts).map(({ name, bucket: { host } }) => ({ name, host })),
    ...(smtp ? [{ name: 'SMTP_URL' as const, host: smtp.host }] : []),
  ];
}
