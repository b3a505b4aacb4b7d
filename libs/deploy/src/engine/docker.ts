import { spawn } from 'node:child_process';
import { DeployError } from './deploy-error.js';

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly cwd?: string;
  /** Replaces the whole environment of the command. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface RunResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The Docker CLI for one engine. The CLI handles contexts, SSH and credentials. */
export interface Docker {
  /** Returns stdout; throws with stderr when the command fails. */
  run(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Returns stdout, or undefined if the object does not exist; throws on every other failure. */
  find(args: readonly string[], options?: RunOptions): Promise<string | undefined>;
  /** Returns the result, also of a failed command. */
  attempt(args: readonly string[], options?: RunOptions): Promise<RunResult>;
}

const DEFAULT_TIMEOUT_MS = 60_000;

export function createDocker(context?: string): Docker {
  const prefix = context ? ['--context', context] : [];
  const attempt = (args: readonly string[], options?: RunOptions) => execute('docker', [...prefix, ...args], options);
  const fail = (args: readonly string[], { status, stderr }: RunResult) =>
    new DeployError({
      text: `docker ${args.slice(0, 2).join(' ')}: exit ${status}: ${lastLines(stderr)}`,
      fix: context ? `try: docker --context ${context} info` : 'try: docker info',
    });
  return {
    attempt,
    async run(args, options) {
      const result = await attempt(args, options);
      if (result.status === 0) return result.stdout;
      throw fail(args, result);
    },
    async find(args, options) {
      const result = await attempt(args, options);
      if (result.status === 0) return result.stdout;
      if (isAbsence(result.stderr)) return undefined;
      throw fail(args, result);
    },
  };
}

/** True if the engine reports that the name does not exist. Any other error may be an unreachable engine. */
export function isAbsence(stderr: string): boolean {
  return /no such (?:service|task|config|secret|stack)\b|\b(?:service|task|config|secret) \S+ not found/i.test(stderr);
}

/** Parses output that is one JSON object per line. */
export function parseLines<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as T);
}

/**
 * Runs the command in its own process group: a terminal sends Ctrl-C to its whole group, and a running command must not
 * be interrupted half-way.
 */
export function execute(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { input = '', env, cwd, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const output = { stdout: '', stderr: '' };
    const timer = setTimeout(() => {
      output.stderr += `timed out after ${timeoutMs / 1_000} s`;
      killGroup(child.pid);
    }, timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    child.once('error', (cause) => {
      clearTimeout(timer);
      reject(new DeployError({ text: `${command}: cannot start`, fix: `install ${command}`, cause }));
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ status: code ?? 137, ...output });
    });
    // The command may exit before it has read its input. Its exit status reports that, not this stream.
    child.stdin.on('error', () => undefined).end(input);
  });
}

function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL');
  } catch {
    // The process has already exited.
  }
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' / ');
}
