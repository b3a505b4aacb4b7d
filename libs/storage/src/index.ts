export { openStorage, provisionStorage, type StorageOptions } from './open-storage.js';
export { Storage } from './storage.js';
export { StorageError } from './storage-error.js';
