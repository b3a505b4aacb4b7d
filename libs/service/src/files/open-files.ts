import { StorageError } from '@airlock/storage';
import type { Logger } from 'pino';
import type { FileStore } from './file-store.js';

/**
 * Checks the stamp of the storage before the process serves. A storage that is only unavailable keeps no other route from
 * being served; its stamp is checked before its first use.
 *
 * @throws StorageError for the storage of another environment, and for one that an operator must correct
 */
export async function openFiles(store: FileStore, logger: Logger): Promise<void> {
  if (!store.isUsed) return;
  try {
    await store.ping();
  } catch (error) {
    if (error instanceof StorageError && error.kind !== 'unavailable') throw error;
    logger.warn({ error }, 'storage.unavailable');
  }
}
