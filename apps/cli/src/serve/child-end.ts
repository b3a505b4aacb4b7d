// Used by docker/watch.mjs too, which runs it without our compiler: only Node's own modules, only types to strip.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const STOP_LIMIT_MS = 5000;
const MEMORY_HINT =
  '  The system sends SIGKILL when memory runs out: free memory, or raise the limit of the container in compose.override.yml.';

type End = Pick<ChildProcess, 'exitCode' | 'signalCode'>;

export function hasEnded({ exitCode, signalCode }: End): boolean {
  return exitCode !== null || signalCode !== null;
}

/** @param what `The API exited`: the reason follows, then the next step */
export function describeEnd(what: string, { exitCode, signalCode }: End): string {
  const text = `${what} (${signalCode ?? `exit code ${exitCode}`}). Waiting for the next edit.`;
  return signalCode === 'SIGKILL' ? `${text}\n${MEMORY_HINT}` : text;
}

/** A child that does not exit by itself, such as one in an endless loop, is killed after five seconds. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(timer);
}
