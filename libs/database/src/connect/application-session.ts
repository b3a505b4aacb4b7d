import type { Config, Environment } from '@airlock/config';
import type { Client } from 'pg';
import { assertIdentity } from '../identity/assert-identity.js';
import { withClient } from './client.js';

export interface ApplicationTarget {
  readonly config: Config;
  /** The environment that the caller names; the configured one by default. */
  readonly expected?: Environment | undefined;
}

/**
 * One session as the application, for a command.
 *
 * @throws IdentityError unless caller, configuration and database name the same environment
 */
export async function withApplication<T>(
  { config, expected }: ApplicationTarget,
  purpose: string,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  return withClient(config.database.app, { config, purpose }, async (client) => {
    await assertIdentity(client, { expected: expected ?? config.environment, config });
    return use(client);
  });
}
