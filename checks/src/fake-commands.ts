import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The output of a command when its arguments match a shell pattern; the first match applies. */
export type FakeOutput = readonly [pattern: string, stdout: string, status?: number];

export interface ScriptRun {
  readonly status: number;
  readonly stderr: string;
  /** Outputs of the step, by name. */
  readonly outputs: Record<string, string>;
  /** Every call of a fake: its name and arguments. */
  readonly calls: readonly string[];
  /** What the calls of a fake read from stdin. */
  readonly stdin: string;
  readonly summary: string;
  readonly home: (path: string) => Promise<string>;
  /** A file that the script wrote in its working folder. */
  readonly file: (path: string) => Promise<string>;
}

const FAKED = ['docker', 'gh', 'npx', 'airlock'];

/**
 * Runs a script of the workflows with fakes of the commands that reach other machines first on PATH. A call that
 * matches no pattern exits with 97, so no real machine is ever reached.
 */
export async function withScript<T>(
  script: {
    path: string;
    args?: string[];
    env?: Record<string, string>;
    cwd?: string;
    answers?: Record<string, FakeOutput[]>;
  },
  check: (run: ScriptRun) => T | Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-script-'));
  try {
    for (const name of FAKED) await writeFake(folder, name, script.answers?.[name] ?? []);
    for (const name of ['output', 'summary', 'calls', 'stdin']) await writeFile(join(folder, name), '');
    await mkdir(join(folder, 'home'));
    const { status, stderr } = await run(folder, script);
    const read = (name: string) => readFile(join(folder, name), 'utf8');
    const outputs = (await read('output')).split('\n').filter(Boolean).map(splitOutput);
    return await check({
      status,
      stderr,
      outputs: Object.fromEntries(outputs),
      calls: (await read('calls')).split('\n').filter(Boolean),
      stdin: await read('stdin'),
      summary: await read('summary'),
      file: read,
      home: (path) => readFile(join(folder, 'home', path), 'utf8'),
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function writeFake(folder: string, name: string, answers: readonly FakeOutput[]): Promise<void> {
  const cases = answers.map(
    ([pattern, stdout, status = 0]) =>
      `  ${pattern}) cat <<'ANSWER' >&${status === 0 ? 1 : 2}\n${stdout}\nANSWER\n    exit ${status} ;;`,
  );
  const text = `#!/bin/bash
printf '%s\\n' "${name} $*" >>"${folder}/calls"
[[ "$*" != *"--input -"* ]] || cat >>"${folder}/stdin"
case "$*" in
${cases.join('\n')}
  *) echo "${name}: no answer for: $*" >&2; exit 97 ;;
esac
`;
  await mkdir(join(folder, 'bin'), { recursive: true });
  await writeFile(join(folder, 'bin', name), text);
  await chmod(join(folder, 'bin', name), 0o755);
}

function run(
  folder: string,
  {
    path,
    args = [],
    env = {},
    cwd = folder,
  }: { path: string; args?: string[]; env?: Record<string, string>; cwd?: string },
): Promise<{ status: number; stderr: string }> {
  const options = {
    cwd,
    env: {
      PATH: `${join(folder, 'bin')}:/usr/local/bin:/usr/bin:/bin`,
      HOME: join(folder, 'home'),
      GITHUB_OUTPUT: join(folder, 'output'),
      GITHUB_STEP_SUMMARY: join(folder, 'summary'),
      GITHUB_REPOSITORY: 'Example/Airlock',
      ...env,
    },
  };
  return new Promise((resolve) => {
    execFile('bash', [path, ...args], options, (error, _stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, stderr });
    });
  });
}

function splitOutput(line: string): [string, string] {
  const index = line.indexOf('=');
  return [line.slice(0, index), line.slice(index + 1)];
}
