import { type ConfigType, connectionsConfig, environmentConfig, httpClientConfig } from '@airlock/config/nest';
import { Database } from '@airlock/service';
import { Module } from '@nestjs/common';
import { Attempts } from './attempts.js';
import { Connections } from './connections.js';
import { Keyring } from './keyring.js';
import { Providers } from './providers.js';
import { Renewal } from './renewal.js';

type ConnectionsConfig = ConfigType<typeof connectionsConfig>;
type HttpClientConfig = ConfigType<typeof httpClientConfig>;
type EnvironmentConfig = ConfigType<typeof environmentConfig>;

@Module({
  providers: [
    {
      provide: Keyring,
      inject: [connectionsConfig.KEY, environmentConfig.KEY],
      useFactory: ({ keys }: ConnectionsConfig, environment: EnvironmentConfig) => new Keyring(keys, environment),
    },
    {
      provide: Providers,
      inject: [connectionsConfig.KEY, environmentConfig.KEY, httpClientConfig.KEY],
      useFactory: (connections: ConnectionsConfig, environment: EnvironmentConfig, httpClient: HttpClientConfig) =>
        new Providers({ connections, environment, httpClient }),
    },
    {
      provide: Renewal,
      inject: [Database, Keyring, httpClientConfig.KEY],
      useFactory: (database: Database, keyring: Keyring, { timeoutMs }: HttpClientConfig) =>
        new Renewal({ database, keyring, requestTimeoutMs: timeoutMs }),
    },
    {
      provide: Attempts,
      inject: [Database, Keyring, Providers],
      useFactory: (database: Database, keyring: Keyring, providers: Providers) =>
        new Attempts({ database, keyring, providers }),
    },
    {
      provide: Connections,
      inject: [Database, Keyring, Providers, Renewal],
      useFactory: (database: Database, keyring: Keyring, providers: Providers, renewal: Renewal) =>
        new Connections({ database, keyring, providers, renewal }),
    },
  ],
  exports: [Attempts, Connections, Keyring, Providers, Renewal],
})
export class ProviderConnectionsModule {}
