import { ConfigError } from '@airlock/config';
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

function required<T>(value: T | undefined, name: string, expected: string): T {
  if (value !== undefined) return value;
  throw new ConfigError([{ name, problem: 'is not set', expected, fix: `export ${name} for this one command` }]);
}
