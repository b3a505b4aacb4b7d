import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseAddress, Environment } from '@airlock/config';

/**
 * Facts that provisioning saw, stored outside the database. A database cannot prove its own identity, because
 * everything in it can be restored, cloned or forged together with its stamp.
 */
export interface ProvisionRecord {
  readonly environment: Environment;
  readonly database: string;
  readonly host: string;
  readonly port: number;
  readonly systemIdentifier: string;
}

type Where = Pick<DatabaseAddress, 'host' | 'port' | 'database'>;

export function saveProvisionRecord(workspace: string, record: ProvisionRecord): void {
  const path = getRecordPath(workspace, record);
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.${process.pid}`, path);
}

/** `undefined` if the record is missing or unreadable; a caller that needs it must refuse then. */
export function loadProvisionRecord(workspace: string, where: Where): ProvisionRecord | undefined {
  try {
    return JSON.parse(readFileSync(getRecordPath(workspace, where), 'utf8')) as ProvisionRecord;
  } catch {
    return undefined;
  }
}

export function getRecordPath(workspace: string, { host, port, database }: Where): string {
  return join(workspace, '.airlock', 'provisioned', `${database}@${host.replaceAll(':', '_')}_${port}.json`);
}
