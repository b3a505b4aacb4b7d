import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProcessEnvironment } from '@airlock/config';
import { DeployError, EXIT } from '../engine/deploy-error.js';
import type { Call } from './target.js';

export interface CallSurroundings {
  /** Replaces the whole environment of the called programs. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Receives progress lines: each call, and what failed. */
  readonly report: (line: string) => void;
}

const POLL_MS = 1_000;

/** Runs the calls in order until one fails. Output of the programs goes to stderr: stdout has only the result. */
export async function runCalls(calls: readonly Call[], around: CallSurroundings): Promise<boolean> {
  for (const call of calls) {
    around.report(`$ ${call.command.join(' ')}`);
    const problem = call.until ? await poll(call, call.until, around) : describeExit((await run(call, around)).status);
    if (problem === undefined) continue;
    around.report(`${call.command[0]}: ${problem}; the calls after it were skipped`);
    if (call.explain) await run(call.explain, around);
    return false;
  }
  return true;
}

/** The output of the program; undefined if it failed. */
export async function readCall(call: Call, around: CallSurroundings): Promise<string | undefined> {
  around.report(`$ ${call.command.join(' ')}`);
  const { status, stdout } = await run(call, around, 'read');
  if (status === 0) return stdout.trim();
  around.report(`${call.command[0]}: exit ${status}; the calls after it were skipped`);
  return undefined;
}

async function poll(
  call: Call,
  { done, failed, limitMs }: NonNullable<Call['until']>,
  around: CallSurroundings,
): Promise<string | undefined> {
  const end = performance.now() + limitMs;
  for (;;) {
    // A failed request says nothing about the state: poll again.
    const { status, stdout } = await run(call, around, 'read');
    if (status === 0 && failed.test(stdout)) return `reports ${stdout.trim()}`;
    if (status === 0 && done.test(stdout)) return undefined;
    if (performance.now() + POLL_MS > end) {
      return `${describeExit(status) ?? `reports ${stdout.trim() || 'nothing'}`} after ${limitMs / 1_000} s`;
    }
    await sleep(POLL_MS);
  }
}

function describeExit(status: number): string | undefined {
  return status === 0 ? undefined : `exit ${status}`;
}

function run(
  { command: [program, ...args], input, cwd, env }: Call,
  { env: base }: CallSurroundings,
  output: 'show' | 'read' = 'show',
): Promise<{ status: number; stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...(base ?? readProcessEnvironment()), ...env },
      stdio: ['pipe', output === 'read' ? 'pipe' : 2, 2],
    });
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.on('error', (cause: NodeJS.ErrnoException) => {
      const text = cause.code === 'ENOENT' ? `${program}: is not installed` : `${program}: ${cause.message}`;
      const expected = `${text}; expected the command-line tool of the platform`;
      reject(new DeployError({ text: expected, fix: `install ${program}`, exitCode: EXIT.usage, cause }));
    });
    child.on('close', (status) => resolve({ status: status ?? 1, stdout }));
    child.stdin?.on('error', () => undefined).end(input ?? '');
  });
}
