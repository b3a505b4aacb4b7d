import { basename } from 'node:path';
import {
  identifyProcess,
  isSameProcessAlive,
  type ProcessIdentity,
  readCommandLine,
  readParentPid,
} from './process-identity.js';

const POLL_MS = 250;
const RUNNERS = ['make', 'gmake', 'nx', 'npm', 'npx'];

/** The processes from `make`, `nx` or `npm` down to us: whoever started those may leave, they may not. */
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

/** The closest `make`, `nx` or `npm` above a process: what one command has started side by side shares it. */
export function findRunner(pid: number): ProcessIdentity | undefined {
  return findRunners(pid).find((ancestor) => isRunner(readCommandLine(ancestor.pid)));
}

/** Calls back once when one of them has died, even by SIGKILL, which tells nobody. */
export function watchRunners(onDeath: () => void): void {
  const runners = findRunners();
  const timer = setInterval(() => {
    if (runners.every(isSameProcessAlive)) return;
    clearInterval(timer);
    onDeath();
  }, POLL_MS);
  timer.unref();
}

/** `make dev`, `node …/.bin/nx serve api`, `npm exec nx …`. */
function isRunner(commandLine: string): boolean {
  const [program = '', script = ''] = commandLine.split(' ').map((word) => basename(word));
  return RUNNERS.includes(program) || (program === 'node' && RUNNERS.includes(script.replace(/(-cli)?\.[cm]?js$/, '')));
}
