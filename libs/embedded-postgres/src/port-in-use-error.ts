import { findPortHolder } from './port.js';
import { readCommandLine } from './process-identity.js';

export interface HeldPort {
  readonly port: number;
  /** The setting that names the port, such as PORT. */
  readonly name?: string;
  /** The step that resolves it. It never ends the process that holds the port, which may belong to another project. */
  readonly fix?: string;
}

const SHOWN_WORDS = 4;

/** Names the process that holds the port, and how to use another one. */
export class PortInUseError extends Error {
  override readonly name = 'PortInUseError';
  readonly exitCode = 1;

  constructor({ port, name = 'port', fix = 'Choose another port.' }: HeldPort) {
    const holder = describeProcess(findPortHolder(port));
    super(`${name} ${port}: ${holder} listens on it; expected a free port.\n${fix}`);
  }
}

export function describeProcess(pid: number | undefined): string {
  if (pid === undefined) return 'another process';
  // The options that make Node load modules first are long, and do not identify the program.
  const words = readCommandLine(pid)
    .replaceAll(/ --import \S+/g, '')
    .split(' ');
  const shown = words.slice(0, SHOWN_WORDS).join(' ');
  return `process ${pid} (${shown}${words.length > SHOWN_WORDS ? ' …' : ''})`;
}
