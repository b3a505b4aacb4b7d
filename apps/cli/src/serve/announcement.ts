import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identifyOurselves, isSameProcessAlive, type ProcessIdentity } from '@airlock/database/embedded';
import { LOCAL_FOLDER } from './workspace.js';

/** What `airlock db serve` tells the processes that need its database: that it is migrated, and whose it is. */
export interface Announcement {
  readonly owner: ProcessIdentity;
  readonly description: string;
}

const FILE = join(LOCAL_FOLDER, 'database.json');

export function announceDatabase(description: string): void {
  mkdirSync(LOCAL_FOLDER, { recursive: true });
  const content: Announcement = { owner: identifyOurselves(), description };
  writeFileSync(`${FILE}.new`, JSON.stringify(content));
  renameSync(`${FILE}.new`, FILE);
}

export function withdrawDatabase(): void {
  rmSync(FILE, { force: true });
}

/** @returns undefined also when its author is dead */
export function readAnnouncement(): Announcement | undefined {
  try {
    const announcement = JSON.parse(readFileSync(FILE, 'utf8')) as Announcement;
    return isSameProcessAlive(announcement.owner) ? announcement : undefined;
  } catch {
    return undefined;
  }
}
