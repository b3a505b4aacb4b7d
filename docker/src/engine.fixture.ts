import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const workspace = resolve(import.meta.dirname, '../..');

/** The trimmed standard output of a command. The error contains its standard error. */
export function run(command: string, args: readonly string[], cwd = workspace): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: 'pipe', maxBuffer: 1 << 28 }).trim();
}

export interface Outcome {
  readonly status: number | null;
  readonly output: string;
  readonly seconds: number;
}

/**
 * Runs a command in a checkout with `settings` on top of the shell's variables; returns the outcome, also of a failure.
 */
export function attempt(
  command: string,
  args: readonly string[],
  cwd: string,
  settings: Readonly<Record<string, string>> = {},
): Outcome {
  const started = performance.now();
  const assignments = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const { status, stdout, stderr } = spawnSync('env', [...assignments, command, ...args], { cwd, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}`, seconds: (performance.now() - started) / 1000 };
}

/** `docker build` of the API's image. */
export function buildImage(
  args: readonly string[],
  cwd: string,
  settings: Readonly<Record<string, string>> = {},
): Outcome {
  const build = ['build', '--quiet', '--file', 'docker/api.Dockerfile', ...args, '.'];
  const outcome = attempt('docker', build, cwd, settings);
  if (outcome.status !== 0) throw new Error(`docker build failed:\n${outcome.output}`);
  return outcome;
}

/** Prints a figure. */
export function report(what: string, figure: string): void {
  process.stdout.write(`      ${what}: ${figure}\n`);
}

/** A unique prefix for everything that this run creates. */
export function nameRun(): string {
  return `airlock-try-${randomBytes(4).toString('hex')}`;
}

/** Clones this commit, as a new user does. With the umask 077, other users cannot read its files. */
export function cloneWorkspace(umask = '022'): string {
  const folder = join(mkdtempSync(join(tmpdir(), 'airlock-clone-')), 'airlock');
  const clone = 'umask "$1" && exec git clone --quiet --no-hardlinks "$2" "$3"';
  run('sh', ['-c', clone, 'sh', umask, workspace, folder]);
  return folder;
}

export function removeClone(folder: string): void {
  rmSync(resolve(folder, '..'), { recursive: true, force: true });
}

/** Containers, networks, volumes and images with the name of a run. */
export function listTraces(name: string): string[] {
  const list = (args: string[]) =>
    run('docker', args)
      .split('\n')
      .filter((line) => line.includes(name));
  return [
    ...list(['ps', '--all', '--format', '{{.Names}}']),
    ...list(['network', 'ls', '--format', '{{.Name}}']),
    ...list(['volume', 'ls', '--format', '{{.Name}}']),
    ...list(['image', 'ls', '--format', '{{.Repository}}:{{.Tag}}']),
  ];
}

/** Waits until `probe` returns a value, and prints the duration. */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  limitMs = 60_000,
): Promise<{ value: T; ms: number }> {
  const started = performance.now();
  for (;;) {
    const value = await Promise.resolve()
      .then(probe)
      .catch(() => undefined);
    const ms = performance.now() - started;
    if (value !== undefined) return { value, ms };
    if (ms > limitMs) throw new Error(`${what}: timed out after ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
