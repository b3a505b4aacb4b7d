import { randomBytes } from 'node:crypto';
import type { DatabaseAddress } from '@airlock/config';

/** The names that this tool generates; by the rules of the config all are names of test databases. */
const PREFIX = 'airlock_test';

export function mintCloneName(): string {
  return `${PREFIX}_${randomBytes(4).toString('hex')}`;
}

export function nameTemplate(hash: string): string {
  return `${PREFIX}_tpl_${hash.slice(0, 8)}`;
}

export function formatUrl({ user, password, host, port, database }: DatabaseAddress): string {
  const login = [user, password.reveal()].map(encodeURIComponent).join(':');
  return `postgres://${login}@${host}:${port}/${database}`;
}
