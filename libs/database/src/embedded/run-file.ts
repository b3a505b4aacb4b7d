import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from './process-identity.js';

/** Who runs the cluster of a data folder, for the next one who wants to. */
export interface RunFile {
  owner: ProcessIdentity;
  port: number;
  systemIdentifier: string;
}

const NAME = 'airlock-run.json';

export function readRunFile(dataDir: string): RunFile | undefined {
  try {
    return JSON.parse(readFileSync(join(dataDir, NAME), 'utf8')) as RunFile;
  } catch {
    return undefined;
  }
}

/** @returns false when another has written one already */
export function claimRunFile(dataDir: string, content: RunFile): boolean {
  try {
    writeFileSync(join(dataDir, NAME), JSON.stringify(content), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

export function replaceRunFile(dataDir: string, content: RunFile): void {
  const path = join(dataDir, NAME);
  writeFileSync(`${path}.new`, JSON.stringify(content), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function removeRunFile(dataDir: string): void {
  rmSync(join(dataDir, NAME), { force: true });
}

/** What PostgreSQL itself writes into its data folder while it runs. */
export interface Postmaster {
  pid: number;
  port: number;
  isReady: boolean;
}

const POSTMASTER_FILE = 'postmaster.pid';

export function readPostmaster(dataDir: string): Postmaster | undefined {
  try {
    const lines = readFileSync(join(dataDir, POSTMASTER_FILE), 'utf8').split('\n');
    return { pid: Number(lines[0]), port: Number(lines[3]), isReady: lines[7]?.trim() === 'ready' };
  } catch {
    return undefined;
  }
}

export function removePostmasterFile(dataDir: string): void {
  rmSync(join(dataDir, POSTMASTER_FILE), { force: true });
}
