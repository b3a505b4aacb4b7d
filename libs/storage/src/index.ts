export { openStorage, provisionStorage } from './open-storage.js';
export { Storage } from './environment-storage.js';
export { StorageError } from './storage-error.js';
