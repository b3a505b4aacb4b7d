import type { Config, StorageAddress } from '@airlock/config';
import type { Backend } from './backend.js';
import { Folder } from './folder-backend.js';
import { stampEmpty } from './storage-stamp.js';
import { Storage } from './environment-storage.js';

export type StorageOptions = Pick<Config, 'environment' | 'httpClient'> & Partial<Pick<Config, 'outbound'>>;

/**
 * Opens the storage of an environment. Its stamp is checked before the first use. A folder that is empty gets its stamp
 * here, because it can belong to no other environment; a bucket gets it from `airlock storage provision`.
 */
export async function openStorage(address: StorageAddress, options: StorageOptions): Promise<Storage> {
  const backend = await openBackend(address, options);
  if (address.kind === 'folder') await stampEmpty(backend, options.environment);
  return new Storage(backend, options.environment);
}

/** Stamps an empty bucket or folder for the environment. @throws StorageError if it is not empty or of another one */
export async function provisionStorage(
  address: StorageAddress,
  options: StorageOptions,
): Promise<{ place: string; result: 'stamped' | 'unchanged' }> {
  const backend = await openBackend(address, options);
  try {
    return { place: backend.description, result: await stampEmpty(backend, options.environment) };
  } finally {
    backend.close();
  }
}

/** The client of S3 is loaded only for a bucket. */
async function openBackend(address: StorageAddress, { httpClient, outbound }: StorageOptions): Promise<Backend> {
  if (address.kind === 'folder') return new Folder(address.path);
  const { Bucket } = await import('./bucket-backend.js');
  return new Bucket(address, { ...httpClient, proxy: outbound?.proxy });
}
