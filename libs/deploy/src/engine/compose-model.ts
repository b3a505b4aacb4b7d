import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readProcessEnvironment } from '@airlock/config';
import type { Docker } from './docker.js';
import { DeployError, EXIT } from './deploy-error.js';
import type { Fields } from './model-fields.js';

/** What `docker compose config --format json` answers: every file merged, every variable filled in. */
export interface ComposeModel {
  readonly services: Readonly<Record<string, Fields>>;
  readonly networks?: Readonly<Record<string, Fields | null>>;
  readonly volumes?: Readonly<Record<string, Fields | null>>;
  readonly secrets?: Readonly<Record<string, Fields>>;
  readonly configs?: Readonly<Record<string, Fields>>;
  readonly [key: string]: unknown;
}

export interface ModelSource {
  readonly files: readonly string[];
  /** Where the overlay's variables come from. The deployer's own shell is never asked. */
  readonly envFiles: readonly string[];
  readonly project: string;
  /** What this deploy itself decides, such as API_IMAGE. */
  readonly variables: Readonly<Record<string, string>>;
}

export async function loadComposeModel(docker: Docker, source: ModelSource): Promise<ComposeModel> {
  return withVariableFile(source.variables, async (variableFile) => {
    const args = [
      ...['compose', '--project-name', source.project],
      ...[...source.envFiles, variableFile].flatMap((file) => ['--env-file', file]),
      ...source.files.flatMap((file) => ['--file', file]),
      ...['config', '--format', 'json'],
    ];
    const { status, stdout, stderr } = await docker.attempt(args, { env: engineVariables() });
    if (status === 0) return JSON.parse(stdout) as ComposeModel;
    throw new DeployError({
      text: `overlay: ${redactValues(stderr.trim())}; expected what Compose can read`,
      mend: `mend the files (${source.files.join(', ')}) or their variables (${source.envFiles.join(', ') || 'no --env-file'})`,
    });
  });
}

/** Compose quotes what it cannot read of a file of variables, from there to the end of it. */
export function redactValues(stderr: string): string {
  return stderr
    .replace(/(unterminated quoted value|Invalid template:)[\s\S]*/i, '$1 [redacted]')
    .replace(/(in variable name "[^"=\n]*)[\s\S]*/, '$1 [redacted]');
}

/** Compose reads variables from its process too: what a developer's shell holds must not reach another environment. */
export function engineVariables(): NodeJS.ProcessEnv {
  const wanted = /^(?:PATH|HOME|USER|TMPDIR|SSH_AUTH_SOCK|XDG_.*|DOCKER_(?:HOST|CONTEXT|CONFIG|CERT_PATH|TLS_VERIFY))$/;
  return Object.fromEntries(Object.entries(readProcessEnvironment()).filter(([name]) => wanted.test(name)));
}

/** In a file and not in the environment, where `ps` would show them. */
export async function withVariableFile<T>(
  variables: ModelSource['variables'],
  use: (file: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-render-'));
  try {
    const file = join(folder, 'deploy.env');
    const lines = Object.entries(variables).map(([name, value]) => createLine(name, value));
    await writeFile(file, lines.join(''), { mode: 0o600 });
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is quoted must not end its quotes: the rest of it would be other variables. */
function createLine(name: string, value: string): string {
  if (!/['\n\r]/.test(value)) return `${name}='${value}'\n`;
  throw new DeployError({
    text: `${name}: ${JSON.stringify(value)} has a quote or a line break; expected neither`,
    mend: 'see: airlock --help',
    exitCode: EXIT.usage,
  });
}
