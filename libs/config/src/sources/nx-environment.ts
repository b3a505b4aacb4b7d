import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { EnvironmentVariables } from '../values/environment-variables.js';

/** The packages with which Nx reads .env files. The second one also replaces `$name` in single quotes. */
interface ReadersOfNx {
  readonly parse: (text: Buffer) => Record<string, string>;
  readonly expand: (of: { parsed: Record<string, string>; processEnv: EnvironmentVariables }) => {
    parsed: Record<string, string>;
  };
}

/**
 * Nx gives each task the variables of .env files as if the user had exported them, with `$` replaced, and has no option
 * to prevent it. A variable that differs from the value in a file was exported by the user.
 *
 * @returns the environment without the variables from files
 */
export function withoutFilesOfNx(env: EnvironmentVariables): EnvironmentVariables {
  // A built program does not run under Nx, and must not load code because of a variable.
  if (!import.meta.url.endsWith('.ts')) return env;
  const root = env['NX_WORKSPACE_ROOT'];
  if (root === undefined || env['NX_TASK_TARGET_PROJECT'] === undefined) return env;
  const readers = loadReaders(root);
  const kept = { ...env };
  for (const path of listFiles(root, env)) {
    const written = readers.parse(readIfThere(path));
    for (const name of Object.keys(written)) {
      if (env[name] !== undefined && listTexts(name, written, env, readers).includes(env[name])) delete kept[name];
    }
  }
  return kept;
}

/** The value as written, and with `$` replaced by other values of the file or by exported values. */
function listTexts(
  name: string,
  written: Record<string, string>,
  env: EnvironmentVariables,
  { expand }: ReadersOfNx,
): (string | undefined)[] {
  const others = { ...env, [name]: undefined };
  return [
    written[name],
    expand({ parsed: { ...written }, processEnv: others }).parsed[name],
    expand({ parsed: { ...written }, processEnv: { ...others, ...written } }).parsed[name],
  ];
}

function loadReaders(root: string): ReadersOfNx {
  const require = createRequire(realpathSync(join(root, 'node_modules/nx/package.json')));
  const { parse } = require('dotenv') as Pick<ReadersOfNx, 'parse'>;
  const { expand } = require('dotenv-expand') as Pick<ReadersOfNx, 'expand'>;
  return { parse, expand };
}

/** The files that Nx loads for the current task, see nx/src/tasks-runner/task-env-paths. */
function listFiles(root: string, env: EnvironmentVariables): string[] {
  const target = env['NX_TASK_TARGET_TARGET'];
  const mode = env['NX_TASK_TARGET_CONFIGURATION'];
  const names = ['.env.local', '.local.env', '.env'];
  for (const kind of [target, mode, target && mode && `${target}.${mode}`]) {
    if (kind) names.push(`.env.${kind}.local`, `.env.${kind}`, `.${kind}.local.env`, `.${kind}.env`);
  }
  const project = env['NX_TASK_TARGET_PROJECT'] ?? '';
  const folders = ['', project, join('apps', project), join('libs', project)];
  return folders.flatMap((folder) => names.map((name) => join(root, folder, name)));
}

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
