import { debuglog } from 'node:util';

const EXIT_FAILED = 1;

/** Reports the error of a failed command. Our own errors carry the exit code. */
export function reportFailure(error: unknown): void {
  process.exitCode = hasExitCode(error) ? error.exitCode : EXIT_FAILED;
  console.error(describeFailure(error));
  debuglog('airlock')('%O', error);
}

/** Returns the message, never the stack. For an unexpected error it also names the variable that shows the stack. */
export function describeFailure(error: unknown): string {
  if (hasExitCode(error)) return error.message;
  const message = error instanceof Error ? error.message || error.name : String(error);
  return `airlock: ${message}\n  set NODE_DEBUG=airlock to see the stack trace`;
}

function hasExitCode(error: unknown): error is Error & { exitCode: number } {
  return error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number';
}
