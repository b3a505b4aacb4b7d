// Real databases for the specs of this folder: one cluster per Jest file, one provisioned database per test.
import { afterAll, beforeAll } from '@jest/globals';
import { Client } from 'pg';
import type { Config, DatabaseAddress, Environment } from '@airlock/config';
import { connectClient } from '../connect/client.js';
import { createSessionConfig } from '../connect/client-options.js';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { provision } from '../provision/provision.js';
import { createScratchConfig } from './scratch-config.fixture.js';

export interface ScratchDatabase {
  readonly config: Config;
  /** A superuser session on this database, for statements that the roles may not run. Ends with the test file. */
  readonly superuser: Client;
  connect(role: 'app' | 'migration'): Promise<Client>;
}

export interface ScratchCluster {
  create(environment?: Environment): Promise<ScratchDatabase>;
}

export function useScratchCluster(): ScratchCluster {
  const opened: Client[] = [];
  let cluster: Cluster;
  let count = 0;

  beforeAll(async () => {
    cluster = await startScratchCluster();
  });
  afterAll(async () => {
    for (const client of opened) await client.end().catch(() => {});
    await cluster.stop();
  });

  const open = async (address: DatabaseAddress, environment: Environment) => {
    const client = await connectClient(address, { config: createSessionConfig(environment), purpose: 'spec' });
    opened.push(client);
    return client;
  };

  return {
    async create(environment = 'testing') {
      const config = createScratchConfig(cluster.port, `scratch${(count += 1)}_test`, environment);
      const { app, migration } = config.database;
      await provision({ admin: cluster.superuser, app, migration: migration ?? app, environment });
      return {
        config,
        superuser: await open({ ...cluster.superuser, database: app.database }, environment),
        connect: (role) => open(config.database[role] ?? app, environment),
      };
    },
  };
}
