import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from './process-identity.js';
import { identifySystem, type SystemIdentity } from './system-identity.js';

/** Names the owner of a running cluster in its data folder, for the next process that wants to use it. */
export interface RunFile {
  /** Different for each start. */
  id: string;
  owner: ProcessIdentity;
  /** The system in which the owner's pid is valid. */
  system: SystemIdentity;
  /** The folder's inode: the file is not valid in a copy of the folder. */
  folder: number;
  port: number;
}

const NAME = 'airlock-run.json';

export function createRunFile(dataDir: string, content: Pick<RunFile, 'owner' | 'port'>): RunFile {
  return { id: randomUUID(), ...content, system: identifySystem(), folder: statSync(dataDir).ino };
}

/** @returns undefined also for a file that was copied with another folder */
export function readRunFile(dataDir: string): RunFile | undefined {
  try {
    const file = JSON.parse(readFileSync(join(dataDir, NAME), 'utf8')) as RunFile;
    return file.folder === statSync(dataDir).ino ? file : undefined;
  } catch {
    return undefined;
  }
}

export function replaceRunFile(dataDir: string, content: RunFile): void {
  const path = join(dataDir, NAME);
  writeFileSync(`${path}.new`, JSON.stringify(content), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Keeps the file of another start. */
export function removeRunFile(dataDir: string, { id }: RunFile): void {
  if (readRunFile(dataDir)?.id === id) rmSync(join(dataDir, NAME), { force: true });
}

/** The file that PostgreSQL itself writes into its data folder while it runs. */
export interface Postmaster {
  pid: number;
  /** The folder, under the path that the server uses. */
  dataDir: string;
  port: number;
  isReady: boolean;
}

const POSTMASTER_FILE = 'postmaster.pid';

export function readPostmaster(dataDir: string): Postmaster | undefined {
  try {
    const lines = readFileSync(join(dataDir, POSTMASTER_FILE), 'utf8').split('\n');
    const [pid, folder = '', , port, , , , state] = lines;
    return { pid: Number(pid), dataDir: folder, port: Number(port), isReady: state?.trim() === 'ready' };
  } catch {
    return undefined;
  }
}

export function removePostmasterFile(dataDir: string): void {
  rmSync(join(dataDir, POSTMASTER_FILE), { force: true });
}

/** The command line of the last server that started in the folder; PostgreSQL leaves it there. */
export function readLastCommandLine(dataDir: string): string | undefined {
  try {
    return readFileSync(join(dataDir, 'postmaster.opts'), 'utf8');
  } catch {
    return undefined;
  }
}
