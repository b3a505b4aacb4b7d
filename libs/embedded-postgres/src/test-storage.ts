import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type TestStorage = 'memory' | 'disk';

const MEMORY = '/dev/shm';
/** File system types of statfs(2) that are in memory: tmpfs and ramfs. */
const IN_MEMORY_TYPES = [0x0102_1994, 0x8584_58f6];
const MEBIBYTE = 1024 ** 2;
const NEEDED_BYTES = 256 * MEBIBYTE;

/** Kept between runs: cached templates, records of live runs, databases of failed tests. */
export const CACHE_FOLDER = fileURLToPath(new URL('../../../node_modules/.cache/airlock', import.meta.url));

/**
 * The value of TEST_STORAGE. It is read separately, because tests on an external server have no other configuration.
 */
export function readTestStorage(env: Readonly<Record<string, string | undefined>>): TestStorage {
  const storage = env['TEST_STORAGE'] ?? 'memory';
  if (storage === 'memory' || storage === 'disk') return storage;
  throw new Error(`TEST_STORAGE: is ${JSON.stringify(storage)}; expected memory or disk.\nLeave it out for memory.`);
}

/** The folder for clusters of tests. @throws unless it is in memory, or TEST_STORAGE allows the disk */
export function chooseStorageFolder(storage: TestStorage): string {
  if (storage === 'memory') assertInMemory(MEMORY);
  const folder =
    storage === 'disk' ? join(CACHE_FOLDER, 'clusters') : join(MEMORY, `airlock-${process.getuid?.() ?? 0}`);
  // PostgreSQL may run as another user, who needs to pass through but not to list.
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  return folder;
}

export function assertInMemory(folder: string, neededBytes = NEEDED_BYTES): void {
  const fix = 'If the system has no tmpfs, as on macOS, use the disk: TEST_STORAGE=disk make test';
  const expected = `expected a tmpfs with ${neededBytes / MEBIBYTE} MiB free`;
  if (!existsSync(folder)) throw new Error(`${folder}: does not exist; ${expected}.\n${fix}`);
  const { type, bavail, bsize } = statfsSync(folder);
  if (!IN_MEMORY_TYPES.includes(type >>> 0)) {
    throw new Error(
      `${folder}: is not in memory (file system type 0x${(type >>> 0).toString(16)}); ${expected}.\n${fix}`,
    );
  }
  if (bavail * bsize < neededBytes) {
    const free = Math.floor((bavail * bsize) / MEBIBYTE);
    throw new Error(
      `${folder}: has ${free} MiB free; ${expected}.\nEnlarge it (mount -o remount,size=1G ${folder}; docker run --shm-size=1g), or: TEST_STORAGE=disk`,
    );
  }
}
