import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Identifies a process for later: a pid alone is reused. */
export interface ProcessIdentity {
  pid: number;
  startedAt: string;
}

export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const startedAt = readStartTime(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

export function identifyThisProcess(): ProcessIdentity {
  const ourselves = identifyProcess(process.pid);
  if (!ourselves) throw new Error('this system does not report when a process started; expected /proc or ps');
  return ourselves;
}

export function isSameProcessAlive({ pid, startedAt }: ProcessIdentity): boolean {
  return readStartTime(pid) === startedAt;
}

/** The command line of the process, for messages. */
export function readCommandLine(pid: number): string {
  try {
    if (process.platform !== 'linux') {
      return execFileSync('ps', ['-o', 'command=', '-p', `${pid}`], { encoding: 'utf8' }).trim();
    }
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return 'unknown';
  }
}

export function readParentPid(pid: number): number | undefined {
  try {
    if (process.platform !== 'linux') {
      return Number(execFileSync('ps', ['-o', 'ppid=', '-p', `${pid}`], { encoding: 'utf8' }));
    }
    return Number(readStatFields(pid)[1]);
  } catch {
    return undefined;
  }
}

/** True if the process is suspended, as by SIGSTOP, and has not ended. */
export function isStopped(pid: number): boolean {
  try {
    if (process.platform !== 'linux') {
      return execFileSync('ps', ['-o', 'state=', '-p', `${pid}`], { encoding: 'utf8' }).startsWith('T');
    }
    return readStatFields(pid)[0] === 'T';
  } catch {
    return false;
  }
}

/** The controlling terminal of the process; undefined without one, and for a terminal that was closed. */
export function readTerminal(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux') {
      const name = execFileSync('ps', ['-o', 'tty=', '-p', `${pid}`], { encoding: 'utf8' }).trim();
      return /^\?*$/.test(name) ? undefined : name;
    }
    const device = readStatFields(pid)[4];
    return device === '0' || device === '-1' ? undefined : device;
  } catch {
    return undefined;
  }
}

export type SignalAction = 'ignored' | 'caught' | 'default';

/** How the process handles SIGHUP; undefined where the system does not say, as on macOS. */
export function readHangupAction(pid: number): SignalAction | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    // The last hexadecimal digit contains the first four signals; SIGHUP is the first.
    const has = (mask: string) => Number.parseInt(new RegExp(`^${mask}:.*(.)$`, 'm').exec(status)?.[1] ?? '0', 16) & 1;
    return has('SigIgn') ? 'ignored' : has('SigCgt') ? 'caught' : 'default';
  } catch {
    return undefined;
  }
}

function readStartTime(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux') {
      return execFileSync('ps', ['-o', 'lstart=', '-p', `${pid}`], { encoding: 'utf8' }).trim() || undefined;
    }
    const fields = readStatFields(pid);
    // A zombie has ended; only its parent has not yet collected its exit code.
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** /proc/<pid>/stat after the command's name, which may contain spaces and parentheses. */
function readStatFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
