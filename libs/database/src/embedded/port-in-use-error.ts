import { findPortHolder } from './port.js';
import { readCommandLine } from './process-identity.js';
import { findRunners } from './runners.js';

export interface HeldPort {
  readonly port: number;
  /** The setting that names the port, such as PORT. */
  readonly name?: string;
  /** What else helps, besides ending who holds it. */
  readonly alternative?: string;
}

const SHOWN_WORDS = 4;

/** Says who holds the port, and which process to end: its runner would only start it again. */
export class PortInUseError extends Error {
  override readonly name = 'PortInUseError';
  readonly exitCode = 1;

  constructor({ port, name = 'port', alternative = 'choose another port' }: HeldPort) {
    const holder = findPortHolder(port);
    const cure = holder === undefined ? 'Stop it' : `Stop it: kill ${findStarter(holder)}`;
    super(
      `${name} ${port}: ${describeProcess(holder)} listens on it; expected a free port.\n${cure}, or ${alternative}.`,
    );
  }
}

/** The make, nx or npm that would only start it again, or wait for it, is the one to stop. */
export function findStarter(pid: number): number {
  return findRunners(pid).at(-1)?.pid ?? pid;
}

export function describeProcess(pid: number | undefined): string {
  if (pid === undefined) return 'another process';
  // What Node loads before a program is long, and does not tell which.
  const words = readCommandLine(pid)
    .replaceAll(/ --import \S+/g, '')
    .split(' ');
  const shown = words.slice(0, SHOWN_WORDS).join(' ');
  return `process ${pid} (${shown}${words.length > SHOWN_WORDS ? ' …' : ''})`;
}
