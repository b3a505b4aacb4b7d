import { debuglog } from 'node:util';

const EXIT_FAILED = 1;

/** Ends a command that has failed. Errors of ours say which exit code they want. */
export function reportFailure(error: unknown): void {
  process.exitCode = hasExitCode(error) ? error.exitCode : EXIT_FAILED;
  console.error(describeFailure(error));
  debuglog('airlock')('%O', error);
}

/** Errors are for people: the message, never the stack. Of one that nobody has thought of, the origin may help. */
export function describeFailure(error: unknown): string {
  if (hasExitCode(error)) return error.message;
  const message = error instanceof Error ? error.message || error.name : String(error);
  return `airlock: ${message}\n  NODE_DEBUG=airlock shows where that comes from`;
}

function hasExitCode(error: unknown): error is Error & { exitCode: number } {
  return error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number';
}
