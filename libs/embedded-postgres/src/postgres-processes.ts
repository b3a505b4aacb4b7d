import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { readCommandLine, readParentPid } from './process-identity.js';

export interface PostgresProcess {
  readonly pid: number;
  readonly commandLine: string;
  /** False for the session and background processes that a server has started. */
  readonly isServer: boolean;
}

const NAMES = ['postgres', 'postmaster'];

/**
 * The PostgreSQL processes whose working folder is this one, under any path, as far as the system shows them.
 * PostgreSQL changes into its data folder at start.
 */
export function findPostgresIn(dataDir: string): PostgresProcess[] {
  const pids = process.platform === 'linux' ? findByProc(dataDir) : findByLsof(dataDir);
  return pids.map((pid) => {
    const commandLine = readCommandLine(pid);
    // A process that the server has only just started still has the server's command line.
    const isChild = /^(postgres|postmaster): /.test(commandLine) || pids.includes(readParentPid(pid) ?? 0);
    return { pid, commandLine, isServer: !isEnding(commandLine) && !isChild };
  });
}

/** A process that is ending has already released the memory with its command line, and serves nothing. */
function isEnding(commandLine: string): boolean {
  return commandLine === '' || commandLine === 'unknown';
}

/** True if the process works in that folder. */
export function worksIn(pid: number, folder: string): boolean {
  try {
    const [at, wanted] = [statSync(`/proc/${pid}/cwd`), statSync(folder)];
    return at.dev === wanted.dev && at.ino === wanted.ino;
  } catch {
    return false;
  }
}

function findByProc(dataDir: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => isPostgres(pid) && worksIn(pid, dataDir));
}

function isPostgres(pid: number): boolean {
  try {
    return NAMES.includes(readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
  } catch {
    return false;
  }
}

/** One line per field: p and a pid, then n and its folder. lsof fails when it finds nothing. */
function findByLsof(dataDir: string): number[] {
  try {
    const folder = realpathSync(dataDir);
    const lines = execFileSync('lsof', ['-a', '-c', 'postgres', '-d', 'cwd', '-Fpn'], { encoding: 'utf8' }).split('\n');
    return lines.flatMap((line, index) => (line === `n${folder}` ? [findPidAbove(lines, index)] : []));
  } catch {
    return [];
  }
}

function findPidAbove(lines: readonly string[], index: number): number {
  return Number(
    lines
      .slice(0, index)
      .findLast((line) => line.startsWith('p'))
      ?.slice(1),
  );
}
