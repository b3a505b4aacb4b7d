import { spawn } from 'node:child_process';
import { DeployError } from './problem.js';

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  /** Replaces the whole environment of the command. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface RunResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The Docker CLI against one engine: it alone knows contexts, SSH and credentials. */
export interface Docker {
  /** Answers stdout; throws with stderr when the command fails. */
  run(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Answers whatever happened. */
  attempt(args: readonly string[], options?: RunOptions): Promise<RunResult>;
}

const DEFAULT_TIMEOUT_MS = 60_000;

export function createDocker(context?: string): Docker {
  const prefix = context ? ['--context', context] : [];
  const attempt = (args: readonly string[], options?: RunOptions) => execute('docker', [...prefix, ...args], options);
  return {
    attempt,
    async run(args, options) {
      const result = await attempt(args, options);
      if (result.status === 0) return result.stdout;
      throw new DeployError({
        text: `docker ${args.slice(0, 2).join(' ')}: exit ${result.status}: ${lastLines(result.stderr)}`,
        mend: context ? `try: docker --context ${context} info` : 'try: docker info',
      });
    },
  };
}

/** Parses output that is one JSON object per line. */
export function parseLines<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as T);
}

export function execute(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: options.env, stdio: ['pipe', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    child.once('error', (cause) => {
      clearTimeout(timer);
      reject(new DeployError({ text: `${command}: cannot be started`, mend: `install ${command}`, cause }));
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ status: code ?? 137, ...output });
    });
    // The command may end before it has read its input; its exit status says so, not this stream.
    child.stdin.on('error', () => undefined).end(options.input ?? '');
  });
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' / ');
}
