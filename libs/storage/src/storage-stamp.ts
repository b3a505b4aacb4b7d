import type { Backend } from './backend.js';
import { StorageError } from './storage-error.js';

/** The use of a bucket or folder. Its stamp is an object that names the environment, and no key of `createKey`. */
export interface Purpose {
  readonly variable: 'STORAGE_URL' | 'BACKUP_URL' | 'REFRESH_BACKUP_URL';
  /** Different for each purpose: a place of one purpose has no stamp of the other, and is not empty either. */
  readonly stamp: string;
  /** The command that stamps an empty place; undefined if the place is only read. */
  readonly provision: string | undefined;
  /** A bucket takes at most 10,000 parts of an object, and an upload holds two of them in memory. */
  readonly partBytes: number;
  /** For a reader that pauses, such as a database that writes what it was given; otherwise the limit of every request. */
  readonly idleTimeoutMs?: number;
}

const MIB = 1024 * 1024;

export const UPLOADS: Purpose = {
  variable: 'STORAGE_URL',
  stamp: 'airlock-environment.json',
  provision: 'airlock storage provision',
  partBytes: 5 * MIB,
};
export const BACKUPS: Purpose = {
  variable: 'BACKUP_URL',
  stamp: 'airlock-backups.json',
  provision: 'airlock storage provision --backups',
  partBytes: 32 * MIB,
  idleTimeoutMs: 5 * 60_000,
};
/** Those of another environment, which are only read. */
export const SOURCE_BACKUPS: Purpose = {
  ...BACKUPS,
  variable: 'REFRESH_BACKUP_URL',
  provision: undefined,
};

const MAX_BYTES = 1_024;

/** @returns undefined if there is no stamp, an empty text if it cannot be read */
export async function readStorageStamp(backend: Backend, { stamp }: Purpose): Promise<string | undefined> {
  try {
    let text = '';
    for await (const chunk of await backend.get(stamp)) {
      text += String(chunk);
      if (text.length > MAX_BYTES) return '';
    }
    return parse(text);
  } catch (error) {
    if (error instanceof StorageError && error.kind === 'missing') return undefined;
    throw error;
  }
}

/**
 * Stamps an empty bucket or folder. Safe to repeat.
 *
 * @throws StorageError if it has the stamp of another environment, or objects and no stamp
 */
export async function stampEmpty(
  backend: Backend,
  { environment, purpose }: { environment: string; purpose: Purpose },
): Promise<'stamped' | 'unchanged'> {
  const found = await readStorageStamp(backend, purpose);
  if (found === environment) return 'unchanged';
  if (found !== undefined) throw refuseStamp(backend, { found, expected: environment, purpose });
  for await (const object of backend.list('')) {
    void object;
    const problem = `${backend.description} holds objects and no stamp; expected an empty one`;
    const { variable } = purpose;
    throw new StorageError('refused', `${variable}: ${problem}\n  set ${variable} to a new bucket of ${environment}`);
  }
  const text = `${JSON.stringify({ environment })}\n`;
  await backend.create(purpose.stamp, Buffer.from(text));
  // Another environment may have stamped it at the same time, on a server that ignores the condition.
  const written = await readStorageStamp(backend, purpose);
  if (written !== environment) throw refuseStamp(backend, { found: written, expected: environment, purpose });
  return 'stamped';
}

export function refuseStamp(
  { description }: Backend,
  { found, expected, purpose }: { found: string | undefined; expected: string; purpose: Purpose },
): StorageError {
  const { variable } = purpose;
  const problem = found === undefined ? 'has no stamp' : `is stamped ${found || 'with an unreadable text'}`;
  const fix = findFix(purpose, { found, expected });
  return new StorageError(
    'refused',
    `${variable}: ${description} ${problem}; expected the stamp ${expected}\n  ${fix}`,
  );
}

function findFix(
  { variable, provision }: Purpose,
  { found, expected }: { found: string | undefined; expected: string },
): string {
  if (provision === undefined) return `set ${variable} to the BACKUP_URL of ${expected}, with keys that can only read`;
  if (found !== undefined) return `set ${variable} to the bucket of this environment`;
  return `${provision}   # stamps an empty bucket; run it once per environment`;
}

function parse(text: string): string {
  try {
    const { environment } = JSON.parse(text) as { environment?: unknown };
    return typeof environment === 'string' && /^[a-z][a-z0-9-]{0,39}$/.test(environment) ? environment : '';
  } catch {
    return '';
  }
}
