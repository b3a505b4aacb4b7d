export { AirlockConfigModule } from './config.module.js';
export {
  authConfig,
  buildConfig,
  databaseConfig,
  environmentConfig,
  httpClientConfig,
  httpConfig,
  logConfig,
  observabilityConfig,
  redisConfig,
  secretKeyConfig,
  serviceConfig,
  shutdownConfig,
  storageConfig,
} from './namespaces.js';
export type { ConfigType } from '@nestjs/config';
