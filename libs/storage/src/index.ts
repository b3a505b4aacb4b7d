export { openBackupStorage, openSourceBackups, openStorage, provisionStorage } from './open-storage.js';
export { Storage } from './environment-storage.js';
export type { StampedBackend } from './stamped-backend.js';
export { StorageError } from './storage-error.js';
