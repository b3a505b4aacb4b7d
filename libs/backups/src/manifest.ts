import { ENVIRONMENTS } from '@airlock/config';
import { z } from 'zod';
import { contentsSchema } from './contents/contents.js';

/** Begins with the time of the snapshot in milliseconds, so that names sort by it. */
const NAME = /^\d{8}t\d{9}z-[0-9a-f]{8}$/;
export const isBackupName = (text: string) => NAME.test(text);

/** Written after the dump was stored whole: what has no manifest is not a backup. It holds no value of a row. */
export const manifestSchema = z.strictObject({
  format: z.literal(1),
  name: z.string().regex(NAME),
  environment: z.enum(ENVIRONMENTS),
  database: z.string(),
  server: z.strictObject({ systemIdentifier: z.string(), major: z.int() }),
  tool: z.string(),
  /** The snapshot that the dump and the counts were read in. */
  takenAt: z.iso.datetime(),
  durationMs: z.int().nonnegative(),
  bytes: z.int().positive(),
  /** The size of the database on its server. */
  databaseBytes: z.int().positive().optional(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  isEncrypted: z.boolean(),
  contents: contentsSchema,
  /** Roles that own objects, have rights or are named by policies. A restore creates those that are missing. */
  roles: z.array(z.string()),
  /** Why this backup may hold less than it should. Retention does not count it. */
  doubts: z.array(z.string()),
});

export type BackupManifest = z.infer<typeof manifestSchema>;

/** @param random 8 hexadecimal digits */
export function createBackupName(takenAt: Date, random: string): string {
  const time = takenAt.toISOString().replaceAll(/[-:.]/g, '').toLowerCase();
  return `${time}-${random}`;
}

/** The time of the snapshot, from the name of a backup. */
export function readTime(name: string): Date {
  return new Date(name.replace(/^(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)(\d{3})z.*$/, '$1-$2-$3T$4:$5:$6.$7Z'));
}
