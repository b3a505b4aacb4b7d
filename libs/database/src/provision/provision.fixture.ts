import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DatabaseAddress, type Environment, Secret } from '@airlock/config';
import type { Client } from 'pg';
import { withClient } from '../client.js';
import { createSessionConfig } from '../client-options.js';
import { type Cluster, startCluster } from '../embedded/index.js';
import type { ProvisionOptions } from './provision.js';

/** A server of its own in memory, gone when stopped. */
export async function startScratchCluster(): Promise<Cluster> {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'airlock-spec-'));
  const cluster = await startCluster({ dataDir: join(folder, 'data'), durable: false });
  const stop = async () => {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { ...cluster, stop };
}

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

/** The first column of the first row, or the server's words when it refuses. */
export function ask(client: Client, sql: string): Promise<unknown> {
  return client.query({ text: sql, rowMode: 'array' }).then(
    ({ rows }) => (rows as unknown[][])[0]?.[0],
    (error: Error) => error.message,
  );
}
