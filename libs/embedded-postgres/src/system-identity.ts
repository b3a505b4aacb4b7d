import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** The system that gave a process its pid: elsewhere the same number is another process, or one that cannot be seen. */
export interface SystemIdentity {
  readonly machine: string;
  /** Another one after each start of the machine. */
  readonly boot: string;
  /** Containers have their own. */
  readonly pids: string;
}

/** `unseen` is another machine; `same kernel` another container. Their processes may be alive although we see none. */
export type Relation = 'here' | 'same kernel' | 'before reboot' | 'unseen';

let ours: SystemIdentity | undefined;

export function identifySystem(): SystemIdentity {
  ours ??= process.platform === 'linux' ? identifyLinux() : identifyDarwin();
  return ours;
}

export function relateTo({ machine, boot, pids }: SystemIdentity): Relation {
  const here = identifySystem();
  if (boot === here.boot) return pids === here.pids ? 'here' : 'same kernel';
  return machine === here.machine ? 'before reboot' : 'unseen';
}

/** Containers may lack a machine id, or share one through their image; the name of the host tells them apart. */
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

/** The name of a Mac changes with its network. */
function identifyDarwin(): SystemIdentity {
  const boot = execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim();
  return { machine: 'darwin', boot, pids: '' };
}
