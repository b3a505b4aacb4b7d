import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from './process-identity.js';
import { identifySystem, type SystemIdentity } from './system-identity.js';

/** Who runs the cluster of a data folder, for the next one who wants to. */
export interface RunFile {
  /** Another one for each start. */
  id: string;
  owner: ProcessIdentity;
  /** Where the owner's pid means something. */
  system: SystemIdentity;
  /** The folder's inode: in a copy of the folder the file says nothing. */
  folder: number;
  port: number;
}

const NAME = 'airlock-run.json';

export function createRunFile(dataDir: string, content: Pick<RunFile, 'owner' | 'port'>): RunFile {
  return { id: randomUUID(), ...content, system: identifySystem(), folder: statSync(dataDir).ino };
}

/** @returns undefined also for one that came along with a copy of another folder */
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

/** Leaves the file of another start. */
export function removeRunFile(dataDir: string, { id }: RunFile): void {
  if (readRunFile(dataDir)?.id === id) rmSync(join(dataDir, NAME), { force: true });
}

/** What PostgreSQL itself writes into its data folder while it runs. */
export interface Postmaster {
  pid: number;
  /** The folder, by the name that the server knows it by. */
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

/** The command line of the server that was the last to start in the folder; PostgreSQL leaves it there. */
export function readLastCommandLine(dataDir: string): string | undefined {
  try {
    return readFileSync(join(dataDir, 'postmaster.opts'), 'utf8');
  } catch {
    return undefined;
  }
}
