export { AirlockConfigModule } from './config.module.js';
export {
  authConfig,
  buildConfig,
  connectionsConfig,
  databaseConfig,
  environmentConfig,
  httpClientConfig,
  httpConfig,
  logConfig,
  mailConfig,
  observabilityConfig,
  redisConfig,
  secretKeyConfig,
  serviceConfig,
  shutdownConfig,
  storageConfig,
} from './namespaces.js';
export { AppConfig } from './app-config.js';
export type { ConfigType } from '@nestjs/config';
