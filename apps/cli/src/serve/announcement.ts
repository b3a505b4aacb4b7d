import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { findRunner, identifyThisProcess, isSameProcessAlive, type ProcessIdentity } from '@airlock/embedded-postgres';
import { LOCAL_FOLDER } from './workspace.js';

/** The file in which `airlock db serve` announces its process and, once migrated, its database. */
export interface Announcement {
  readonly owner: ProcessIdentity;
  readonly description: string;
  /** Increases each time that the database becomes ready. */
  readonly edition: number;
}

const FILE = join(LOCAL_FOLDER, 'database.json');

/** Announces the process that serves the workspace's database, before the database is ready. */
export function claimDatabase(): void {
  write({ owner: identifyThisProcess() });
}

export function announceDatabase(description: string): void {
  editions += 1;
  write({ owner: identifyThisProcess(), description, edition: editions });
}
let editions = 0;

/** Tells the processes that the same make, nx or npm started that the database will not become ready. */
export function announceFailure(): void {
  write({ owner: identifyThisProcess(), failed: findRunner(process.pid) });
}

/** True only after the failed process has exited: Nx reports the first of two processes that exit. */
export function hasDatabaseFailed(): boolean {
  const { owner, failed } = readFile() ?? {};
  const runner = findRunner(process.pid);
  return runner !== undefined && isDeepStrictEqual(failed, runner) && !(owner && isSameProcessAlive(owner));
}

export function withdrawDatabase(): void {
  rmSync(FILE, { force: true });
}

/** @returns undefined also while the database is not ready, and when the announcing process is dead */
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
