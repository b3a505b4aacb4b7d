import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { findRunner, identifyThisProcess, isSameProcessAlive, type ProcessIdentity } from '@airlock/embedded-postgres';
import { LOCAL_FOLDER } from './workspace.js';

/** What `airlock db serve` tells the processes that need its database: that it is migrated, and whose it is. */
export interface Announcement {
  readonly owner: ProcessIdentity;
  readonly description: string;
  /** Another one each time that the database has been made ready. */
  readonly edition: number;
}

const FILE = join(LOCAL_FOLDER, 'database.json');

/** Says whose the workspace's database is, before it is ready. */
export function claimDatabase(): void {
  write({ owner: identifyThisProcess() });
}

export function announceDatabase(description: string): void {
  editions += 1;
  write({ owner: identifyThisProcess(), description, edition: editions });
}
let editions = 0;

/** Tells those whom the same make, nx or npm has started that there is nothing to wait for. */
export function announceFailure(): void {
  write({ owner: identifyThisProcess(), failed: findRunner(process.pid) });
}

/** Only once it has ended: of two that end, Nx goes by the first. */
export function hasDatabaseFailed(): boolean {
  const { owner, failed } = readFile() ?? {};
  const runner = findRunner(process.pid);
  return runner !== undefined && isDeepStrictEqual(failed, runner) && !(owner && isSameProcessAlive(owner));
}

export function withdrawDatabase(): void {
  rmSync(FILE, { force: true });
}

/** @returns undefined also while the database is not ready, and when its author is dead */
export function readAnnouncement(): Announcement | undefined {
  const { owner, description, edition } = read() ?? {};
  return owner && description !== undefined && edition !== undefined ? { owner, description, edition } : undefined;
}

/** @returns the live process that serves the workspace's database, ready or not */
export function findDatabaseOwner(): ProcessIdentity | undefined {
  return read()?.owner;
}

interface Content extends Partial<Announcement> {
  readonly failed?: ProcessIdentity | undefined;
}

function write(content: Content): void {
  mkdirSync(LOCAL_FOLDER, { recursive: true });
  writeFileSync(`${FILE}.new`, JSON.stringify(content));
  renameSync(`${FILE}.new`, FILE);
}

function read(): Content | undefined {
  const content = readFile();
  return content?.owner && isSameProcessAlive(content.owner) ? content : undefined;
}

function readFile(): Content | undefined {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8')) as Content;
  } catch {
    return undefined;
  }
}
