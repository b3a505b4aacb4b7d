import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readProcessEnvironment } from '@airlock/config';
import type { Docker } from './docker.js';
import { DeployError, EXIT } from './deploy-error.js';
import type { Fields } from './model-fields.js';

/** The output of `docker compose config --format json`: all files merged, all variables filled in. */
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
  /** The files with the overlay's variables. Variables of the deployer's shell are never used. */
  readonly envFiles: readonly string[];
  readonly project: string;
  /** Variables that this deploy sets, such as API_IMAGE. */
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
      text: `overlay: ${redactValues(stderr.trim())}; expected files that Compose can read`,
      fix: `correct the files (${source.files.join(', ')}) or their variables (${source.envFiles.join(', ') || 'no --env-file'})`,
    });
  });
}

/** Compose prints the rest of a variables file from the place that it cannot parse: values must not be shown. */
export function redactValues(stderr: string): string {
  return stderr
    .replace(/(unterminated quoted value|Invalid template:)[\s\S]*/i, '$1 [redacted]')
    .replace(/(in variable name "[^"=\n]*)[\s\S]*/, '$1 [redacted]');
}

/** Compose also reads variables of its process. A developer's shell variables must not reach another environment. */
export function engineVariables(): NodeJS.ProcessEnv {
  const wanted = /^(?:PATH|HOME|USER|TMPDIR|SSH_AUTH_SOCK|XDG_.*|DOCKER_(?:HOST|CONTEXT|CONFIG|CERT_PATH|TLS_VERIFY))$/;
  return Object.fromEntries(Object.entries(readProcessEnvironment()).filter(([name]) => wanted.test(name)));
}

/** Passes the variables in a file: `ps` would show those in the environment. */
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

/** A quote in the value would end the quoted text, and the rest would be read as other variables. */
function createLine(name: string, value: string): string {
  if (!/['\n\r]/.test(value)) return `${name}='${value}'\n`;
  throw new DeployError({
    text: `${name}: ${JSON.stringify(value)} contains a quote or a line break; expected neither`,
    fix: 'see: airlock --help',
    exitCode: EXIT.usage,
  });
}
