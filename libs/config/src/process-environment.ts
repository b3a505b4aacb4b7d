/** The only file that touches process.env (lint rule): everything else is given the config. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { Environment } from './environment.js';

export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

export function readProcessEnvironment(): EnvironmentVariables {
  return withoutFileOfNx({ ...process.env });
}

/**
 * Nx hands the root's .env to every task as if a person had exported it, and cannot be told not to. What equals the file
 * is taken back: tests must not see it at all, and a server must see the file's next edit.
 */
function withoutFileOfNx(env: Record<string, string | undefined>): EnvironmentVariables {
  fileOfNx ??= loadFileOfNx(env);
  for (const [key, text] of fileOfNx) {
    if (env[key] === text) delete env[key];
  }
  return env;
}

/** As it was when this process was started: after an edit it no longer tells what has come from it. */
let fileOfNx: readonly (readonly [string, string | undefined])[] | undefined;

function loadFileOfNx(env: EnvironmentVariables): readonly (readonly [string, string | undefined])[] {
  const { NX_TASK_TARGET_PROJECT: project, NX_WORKSPACE_ROOT: root } = env;
  if (project === undefined || root === undefined) return [];
  return ['.env', '.local.env', '.env.local'].flatMap((name) => Object.entries(parseFile(join(root, name))));
}

function parseFile(path: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch {
    return {};
  }
}

/** What libraries read as NODE_ENV; it follows from ENVIRONMENT and is never asked for. */
export function deriveNodeEnv(environment: Environment): 'development' | 'test' | 'production' {
  if (environment === 'development') return 'development';
  return environment === 'testing' ? 'test' : 'production';
}

/** Tells libraries that are loaded later; a NODE_ENV that was set is left as it is, the rules have judged it. */
export function exportNodeEnv(environment: Environment): void {
  process.env['NODE_ENV'] ??= deriveNodeEnv(environment);
}
