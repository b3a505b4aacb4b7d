import { basename } from 'node:path';
import {
  identifyProcess,
  isSameProcessAlive,
  type ProcessIdentity,
  readCommandLine,
  readHangupAction,
  readParentPid,
  readTerminal,
} from './process-identity.js';

const POLL_MS = 250;
const MAKES = ['make', 'gmake'];
const RUNNERS = [...MAKES, 'nx', 'npm', 'npx'];

/** The processes from `make`, `nx` or `npm` down to us. Processes above them may end; these may not. */
export function findRunners(pid = process.pid): ProcessIdentity[] {
  const ancestors: ProcessIdentity[] = [];
  let outermost = 0;
  for (let parent = readParentPid(pid); parent !== undefined && parent > 1; parent = readParentPid(parent)) {
    const identity = identifyProcess(parent);
    if (!identity) break;
    ancestors.push(identity);
    if (isRunner(readCommandLine(parent))) outermost = ancestors.length;
  }
  return ancestors.slice(0, outermost);
}

/** The closest `make`, `nx` or `npm` above a process; commands that it has started in parallel share it. */
export function findRunner(pid: number): ProcessIdentity | undefined {
  return findRunners(pid).find((ancestor) => isRunner(readCommandLine(ancestor.pid)));
}

/**
 * Calls back once when one of them has died, even by SIGKILL, or when their terminal was closed. No process can report
 * its own SIGKILL. The system reports a closed terminal only to the first process of the session, and `make` then waits
 * for its children, which are not informed.
 */
export function watchRunners(onEnd: () => void): void {
  const runners = findRunners().map((identity) => ({ identity, terminal: readTerminal(identity.pid) }));
  const timer = setInterval(() => {
    if (runners.every(isSteady)) return;
    clearInterval(timer);
    onEnd();
  }, POLL_MS);
  timer.unref();
}

interface Runner {
  readonly identity: ProcessIdentity;
  /** The parent at our start. */
  readonly terminal: string | undefined;
}

function isSteady({ identity, terminal }: Runner): boolean {
  if (!isSameProcessAlive(identity)) return false;
  const { pid } = identity;
  const action = readHangupAction(pid);
  // `nohup` requires this.
  if (action === 'ignored') return true;
  if (terminal !== undefined && readTerminal(pid) === undefined) return false;
  // make handles SIGHUP until it has received one.
  return !(action === 'default' && MAKES.includes(programOf(pid)));
}

/** `make dev`, `node …/.bin/nx serve api`, `npm exec nx …`. */
function isRunner(commandLine: string): boolean {
  const [program = '', script = ''] = commandLine.split(' ').map((word) => basename(word));
  return RUNNERS.includes(program) || (program === 'node' && RUNNERS.includes(script.replace(/(-cli)?\.[cm]?js$/, '')));
}

function programOf(pid: number): string {
  return basename(readCommandLine(pid).split(' ')[0] ?? '');
}
