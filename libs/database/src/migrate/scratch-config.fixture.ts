import type { Config, Environment } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';

/** A config from the real loader. The environment alone may be one that would refuse a server on loopback. */
export function createScratchConfig(port: number, database: string, environment: Environment): Config {
  const url = (role: string) => `postgres://${database}_${role}:a-Long-Enough-Passw0rd@127.0.0.1:${port}/${database}`;
  const config = loadConfig({
    cwd: '/nonexistent',
    env: { ENVIRONMENT: 'testing', DATABASE_URL: url('app'), DATABASE_MIGRATION_URL: url('migrator') },
  });
  return { ...config, environment, build: { commit: 'c0ffee1', time: undefined, imageDigest: 'sha256:feed' } };
}
