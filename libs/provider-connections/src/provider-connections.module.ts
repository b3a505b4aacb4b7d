import type { Config } from '@airlock/config';
import { type ConfigType, connectionsConfig, environmentConfig, httpClientConfig } from '@airlock/config/nest';
import { Database } from '@airlock/service';
import { HttpPeers } from '@airlock/service/outbound';
import { Module } from '@nestjs/common';
import { Attempts } from './attempts.js';
import { Connections } from './connections.js';
import { Keyring } from './keyring.js';
import { Providers } from './providers.js';
import { Renewal } from './renewal.js';
import { ConnectionUpkeep } from './refresh-connections.js';

/** The parts, for programs without Nest and for {@link refreshConnections}. */
export interface ConnectionParts {
  readonly database: Database;
  readonly keyring: Keyring;
  readonly providers: Providers;
  readonly renewal: Renewal;
  readonly attempts: Attempts;
  readonly connections: Connections;
}

export function createConnectionParts(
  { connections, environment, httpClient }: Pick<Config, 'connections' | 'environment' | 'httpClient'>,
  { database, peers }: { readonly database: Database; readonly peers: HttpPeers },
): ConnectionParts {
  const keyring = new Keyring(connections.keys, environment);
  const providers = new Providers({ connections, environment }, peers);
  const renewal = new Renewal({ database, keyring, requestTimeoutMs: httpClient.timeoutMs });
  const parts = { database, keyring, providers, renewal };
  return { ...parts, attempts: new Attempts(parts), connections: new Connections(parts) };
}

const PARTS = Symbol('parts of connections');

@Module({
  providers: [
    {
      provide: PARTS,
      inject: [connectionsConfig.KEY, environmentConfig.KEY, httpClientConfig.KEY, Database, HttpPeers],
      useFactory: (
        connections: ConfigType<typeof connectionsConfig>,
        environment: ConfigType<typeof environmentConfig>,
        httpClient: ConfigType<typeof httpClientConfig>,
        database: Database,
        peers: HttpPeers,
      ) => createConnectionParts({ connections, environment, httpClient }, { database, peers }),
    },
    { provide: Attempts, inject: [PARTS], useFactory: ({ attempts }: ConnectionParts) => attempts },
    { provide: Connections, inject: [PARTS], useFactory: ({ connections }: ConnectionParts) => connections },
    { provide: ConnectionUpkeep, inject: [PARTS], useFactory: (parts: ConnectionParts) => new ConnectionUpkeep(parts) },
  ],
  exports: [Attempts, Connections, ConnectionUpkeep],
})
export class ProviderConnectionsModule {}
