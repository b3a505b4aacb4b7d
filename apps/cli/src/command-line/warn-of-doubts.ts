import type { BackupManifest } from '@airlock/backups';

/** Tables that had lost rows when the backup was taken: another one may be the right one. */
export function warnOfDoubts({ name, doubts }: Pick<BackupManifest, 'name' | 'doubts'>): void {
  for (const doubt of doubts) console.error(`warning: ${name} is shrunken: ${doubt}`);
  if (doubts.length > 0) console.error('  airlock db backups   # shows those that are not');
}
