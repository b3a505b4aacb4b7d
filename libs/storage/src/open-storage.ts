import type { Config, StorageAddress } from '@airlock/config';
import type { Backend } from './backend.js';
import { Folder } from './folder-backend.js';
import { StampedBackend } from './stamped-backend.js';
import { BACKUPS, type Purpose, SOURCE_BACKUPS, stampEmpty, UPLOADS } from './storage-stamp.js';
import { Storage } from './environment-storage.js';

export type StorageOptions = Pick<Config, 'environment' | 'httpClient'> & Partial<Pick<Config, 'outbound'>>;

/**
 * Opens the storage of an environment. Its stamp is checked before the first use. A folder that is empty gets its stamp
 * here, because it can belong to no other environment; a bucket gets it from `airlock storage provision`.
 */
export async function openStorage(address: StorageAddress, options: StorageOptions): Promise<Storage> {
  return new Storage(await openStamped(address, { ...options, purpose: UPLOADS }), options.environment);
}

/** Opens the place of the backups of an environment, as objects by name. Its stamp is checked like that of uploads. */
export async function openBackupStorage(address: StorageAddress, options: StorageOptions): Promise<StampedBackend> {
  return openStamped(address, { ...options, purpose: BACKUPS });
}

/**
 * Opens the backups of another environment, to read them: also an empty folder gets no stamp.
 *
 * @throws StorageError refused unless it has the stamp of backups of `options.environment`
 */
export async function openSourceBackups(address: StorageAddress, options: StorageOptions): Promise<StampedBackend> {
  const purposed = { ...options, purpose: SOURCE_BACKUPS };
  return new StampedBackend(await openBackend(address, purposed), purposed);
}

/** Stamps an empty bucket or folder for the environment. @throws StorageError if it is not empty or of another one */
export async function provisionStorage(
  address: StorageAddress,
  options: StorageOptions & { readonly isForBackups?: boolean },
): Promise<{ place: string; result: 'stamped' | 'unchanged' }> {
  const { environment, isForBackups } = options;
  const purpose = isForBackups ? BACKUPS : UPLOADS;
  const backend = await openBackend(address, { ...options, purpose });
  try {
    return { place: backend.description, result: await stampEmpty(backend, { environment, purpose }) };
  } finally {
    backend.close();
  }
}

type PurposeOptions = StorageOptions & { readonly purpose: Purpose };

async function openStamped(address: StorageAddress, options: PurposeOptions): Promise<StampedBackend> {
  const backend = await openBackend(address, options);
  if (address.kind === 'folder') await stampEmpty(backend, options);
  return new StampedBackend(backend, options);
}

/** The client of S3 is loaded only for a bucket. */
async function openBackend(
  address: StorageAddress,
  { httpClient, outbound, purpose }: PurposeOptions,
): Promise<Backend> {
  if (address.kind === 'folder') return new Folder(address.path);
  const { Bucket } = await import('./bucket-backend.js');
  return new Bucket(address, { ...httpClient, proxy: outbound?.proxy }, purpose);
}
