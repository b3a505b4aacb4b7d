import { existsSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { skipUnless } from '@airlock/config/testing';
import { assertInMemory, CACHE_FOLDER, chooseStorageFolder, readTestStorage } from './test-storage.js';

const FIX = 'If the system has no tmpfs, as on macOS, use the disk: TEST_STORAGE=disk make test';
const itOnTmpfs = skipUnless(existsSync('/dev/shm'), it, 'no /dev/shm');

describe('readTestStorage', () => {
  it('is memory by default', () => {
    expect(readTestStorage({})).toBe('memory');
    expect(readTestStorage({ TEST_STORAGE: 'disk' })).toBe('disk');
  });

  it.each(['Disk', '', '/tmp'])('refuses "%s"', (word) => {
    expect(() => readTestStorage({ TEST_STORAGE: word })).toThrow(
      `TEST_STORAGE: is "${word}"; expected memory or disk.\nLeave it out for memory.`,
    );
  });
});

describe('assertInMemory', () => {
  it('refuses a folder that does not exist, and names the setting', () => {
    expect(() => assertInMemory('/dev/no-such-folder')).toThrow(
      `/dev/no-such-folder: does not exist; expected a tmpfs with 256 MiB free.\n${FIX}`,
    );
  });

  it('refuses a folder that is not a tmpfs, and names the setting', () => {
    // The kernel's own, so it is mounted on every Linux; macOS has none.
    const folder = existsSync('/proc') ? '/proc' : '/';
    expect(() => assertInMemory(folder)).toThrow(
      new RegExp(`^${folder}: is not in memory \\(file system type 0x[0-9a-f]+\\); expected a tmpfs with 256 MiB free`),
    );
    expect(() => assertInMemory(folder)).toThrow(FIX);
  });

  itOnTmpfs('refuses a tmpfs without space, and says how to enlarge it', () => {
    expect(() => assertInMemory('/dev/shm', 2 ** 60)).toThrow(
      /^\/dev\/shm: has \d+ MiB free; expected a tmpfs with \d+ MiB free\.\nEnlarge it \(mount -o remount,size=1G \/dev\/shm; docker run --shm-size=1g\), or: TEST_STORAGE=disk$/,
    );
  });
});

describe('chooseStorageFolder', () => {
  it('uses the ignored cache folder when the disk is requested', () => {
    expect(chooseStorageFolder('disk')).toBe(`${CACHE_FOLDER}/clusters`);
  });
});
