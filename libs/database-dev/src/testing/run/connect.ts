import type { Client } from 'pg';
import { connectClient, createSessionConfig } from '@airlock/database/internal';
import { type TestRun, toAddress } from './test-run.js';

type ServerOfRun = Pick<TestRun, 'host' | 'port' | 'admin' | 'maintenance'>;

/** A session of the test harness, as the administrator of the test server. */
export function connectAdmin(run: ServerOfRun, database = run.maintenance): Promise<Client> {
  const address = toAddress(run, run.admin, database);
  return connectClient(address, { config: createSessionConfig('testing'), purpose: 'tests' });
}
