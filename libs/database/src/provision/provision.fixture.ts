import { type DatabaseAddress, type Environment, Secret } from '@airlock/config';
import type { Client } from 'pg';
import { withClient } from '../connect/client.js';
import { createSessionConfig } from '../connect/client-options.js';
import type { Cluster } from '@airlock/embedded-postgres';
import type { ProvisionOptions } from './provision.js';

/** The three addresses of one database on that server, with roles named after the database. */
export function createAddresses(cluster: Cluster, database: string, environment: Environment): ProvisionOptions {
  const address = (user: string): DatabaseAddress => ({
    ...cluster.superuser,
    user,
    password: new Secret(`${user}-secret`),
    database,
  });
  return {
    admin: cluster.superuser,
    app: address(`${database}_app`),
    migration: address(`${database}_migrator`),
    environment,
  };
}

export function runAs<T>(address: DatabaseAddress, use: (client: Client) => Promise<T>): Promise<T> {
  return withClient(address, { config: createSessionConfig('testing'), purpose: 'spec' }, use);
}

/** The first column of the first row, or the server's message when it refuses. */
export function ask(client: Client, sql: string): Promise<unknown> {
  return client.query({ text: sql, rowMode: 'array' }).then(
    ({ rows }) => (rows as unknown[][])[0]?.[0],
    (error: Error) => error.message,
  );
}
