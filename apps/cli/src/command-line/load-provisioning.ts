import { type Config, ConfigError, type DatabaseAddress, type Secret } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import type { ProvisionOptions } from '@airlock/database/operations';

/** The three logins that provisioning needs. @throws ConfigError if one is not set */
export function loadProvisioning(): Omit<ProvisionOptions, 'adopt'> {
  const { environment, database } = loadConfig({ program: 'provision' });
  const { app, sslCa } = database;
  const migration = required(database.migration, 'DATABASE_MIGRATION_URL', 'the address of the migrator');
  const admin = required(database.admin, 'DATABASE_ADMIN_URL', 'a role that may create roles and databases');
  return { admin, app, migration, environment, sslCa };
}

export interface RefreshSetting {
  readonly config: Config;
  readonly source: DatabaseAddress;
  readonly key: Secret;
}

/**
 * The target, the source and the key of a refresh.
 *
 * @param assertTarget refuses an environment before more is asked for it
 * @throws ConfigError if one is not set
 */
export function loadRefresh(assertTarget: (config: Config) => void): RefreshSetting {
  const config = loadConfig({ program: 'provision' });
  assertTarget(config);
  const source = required(config.refresh.source, 'REFRESH_SOURCE_URL', 'a restored copy of production');
  const key = required(config.refresh.key, 'REFRESH_KEY', 'the secret that decides the pseudonyms');
  return { config, source, key };
}

function required<T>(value: T | undefined, name: string, expected: string): T {
  if (value !== undefined) return value;
  throw new ConfigError([{ name, problem: 'is not set', expected, fix: `export ${name} for this one command` }]);
}
