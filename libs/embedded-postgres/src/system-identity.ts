import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * The system in which a process has its pid. In another one the same number is another process, or an invisible one.
 */
export interface SystemIdentity {
  readonly machine: string;
  /** Different after each start of the machine. */
  readonly boot: string;
  /** Containers have different ones. */
  readonly pids: string;
}

/**
 * `unseen` is another machine; `same kernel` another container. Their processes may be alive although they are not
 * visible.
 */
export type Relation = 'here' | 'same kernel' | 'before reboot' | 'unseen';

let ours: SystemIdentity | undefined;

export function identifySystem(): SystemIdentity {
  ours ??= process.platform === 'linux' ? identifyLinux() : identifyDarwin();
  return ours;
}

export function compareSystem({ machine, boot, pids }: SystemIdentity): Relation {
  const here = identifySystem();
  if (boot === here.boot) return pids === here.pids ? 'here' : 'same kernel';
  return machine === here.machine ? 'before reboot' : 'unseen';
}

/** Containers may lack a machine id, or share one through their image; the host name distinguishes them. */
function identifyLinux(): SystemIdentity {
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return '';
    }
  };
  return {
    machine: `linux ${read('/etc/machine-id')} ${hostname()}`,
    boot: read('/proc/sys/kernel/random/boot_id'),
    pids: readlinkSync('/proc/self/ns/pid'),
  };
}

/** The host name of a Mac changes with its network. */
function identifyDarwin(): SystemIdentity {
  const boot = execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim();
  return { machine: 'darwin', boot, pids: '' };
}
