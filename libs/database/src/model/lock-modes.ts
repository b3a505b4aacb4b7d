export const EXCLUSIVE = 'AccessExclusiveLock';
export const BLOCKS_WRITES = new Set([EXCLUSIVE, 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock']);

/** `AccessExclusiveLock` → `ACCESS EXCLUSIVE`. */
export function describeMode(mode: string): string {
  return mode
    .replace(/Lock$/, '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase();
}
