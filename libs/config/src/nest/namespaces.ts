import { type ConfigFactory, type ConfigFactoryKeyHost, registerAs } from '@nestjs/config';
import type { Config } from '../load/create-config.js';

/**
 * A typed section of the config, injected by `@Inject(serviceConfig.KEY) service: ConfigType<typeof serviceConfig>`.
 */
type Namespace<T> = (() => T) & ConfigFactoryKeyHost<T>;

export const environmentConfig = namespace('environment');
export const serviceConfig = namespace('service');
export const logConfig = namespace('log');
export const databaseConfig = namespace('database');
export const redisConfig = namespace('redis');
export const storageConfig = namespace('storage');
export const httpConfig = namespace('http');
export const httpClientConfig = namespace('httpClient');
export const mailConfig = namespace('mail');
export const authConfig = namespace('auth');
export const secretKeyConfig = namespace('secretKey');
export const connectionsConfig = namespace('connections');
export const observabilityConfig = namespace('observability');
export const buildConfig = namespace('build');
export const shutdownConfig = namespace('shutdown');

export const namespaceNames = [
  'environment',
  'service',
  'log',
  'database',
  'redis',
  'storage',
  'http',
  'httpClient',
  'mail',
  'auth',
  'secretKey',
  'connections',
  'observability',
  'build',
  'shutdown',
] as const satisfies readonly (keyof Config)[];

/** Provides the config for the token of a namespace above. */
export function provideNamespace(name: (typeof namespaceNames)[number], config: Config): ConfigFactory {
  return registerAs(name, (() => config[name]) as ConfigFactory);
}

function namespace<K extends keyof Config>(name: K): Namespace<Config[K]> {
  const unprovided = () => {
    throw new Error(`${name} config: is not provided; import AirlockConfigModule.forRoot(config)`);
  };
  return registerAs(name, unprovided) as unknown as Namespace<Config[K]>;
}
