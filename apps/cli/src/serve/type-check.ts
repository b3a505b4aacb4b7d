import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setPriority } from 'node:os';
import { readProcessEnvironment } from '@airlock/config';
import { API, ROOT } from './workspace.js';

/** Lower than the processes that the user waits for, but not so low that a busy machine never runs it. */
const PRIORITY = 10;
const QUIET_MS = 1000;
const MOST_LINES = 10;
const TSC = [
  join(ROOT, 'node_modules/typescript/bin/tsc'),
  ...['--project', API, '--pretty', 'false'],
  ...['--incremental', '--tsBuildInfoFile', join(ROOT, 'node_modules/.cache/serve.tsbuildinfo')],
];

/**
 * Checks the types while the server runs: an edit is served before its types are checked. Prints nothing while they are
 * correct. One process for each check, at a low priority, so that no memory is used between edits.
 */
export class TypeCheck {
  #timer: NodeJS.Timeout | undefined;
  #child: ChildProcess | undefined;
  #hasErrors = false;

  /** Checks after the last edit. A running check of an older state is killed. */
  schedule(): void {
    this.stop();
    this.#timer = setTimeout(() => this.#check(), QUIET_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    const child = this.#child;
    this.#child = undefined;
    child?.kill('SIGKILL');
  }

  #check(): void {
    const child = spawn(process.execPath, TSC, {
      cwd: ROOT,
      env: readProcessEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    if (child.pid !== undefined) lowerPriority(child.pid);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', (error) => (output = error.message));
    child.once('close', (code, signal) => {
      if (this.#child !== child) return;
      // The system kills it when memory runs out.
      if (signal) console.error(`types: not checked, because tsc was ended by ${signal}; the next edit checks again`);
      else this.#report(code === 0, output.trim());
    });
  }

  #report(isGood: boolean, output: string): void {
    if (!isGood) console.error(describeErrors(output));
    else if (this.#hasErrors) console.log('types: correct again');
    this.#hasErrors = !isGood;
  }
}

/** `tsc` writes `file(line,column): error …`; editors and terminals follow `file:line:column`. */
function describeErrors(output: string): string {
  const lines = output.split('\n').map((line) => line.replace(/^(\S.*?)\((\d+),(\d+)\): error /, '  $1:$2:$3 '));
  const more =
    lines.length > MOST_LINES ? [`  … and ${lines.length - MOST_LINES} more lines: npx tsc --project apps/api`] : [];
  return ['types: errors; the edit is served anyway', ...lines.slice(0, MOST_LINES), ...more].join('\n');
}

/** Ignores failures: the process may have exited, or the system may forbid it. */
function lowerPriority(pid: number): void {
  try {
    setPriority(pid, PRIORITY);
  } catch {
    return;
  }
}
