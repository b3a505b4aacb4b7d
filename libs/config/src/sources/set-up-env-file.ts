import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../values/config-error.js';
import { errorCode } from './secret-file.js';

export interface SetupReport {
  readonly created: boolean;
}

/** The placeholder of passwords in the examples. */
const PLACEHOLDER = /changethis/g;

/** Shared with the Makefile, which also works without Node. */
const CHOOSE_PORTS = 'tools/choose-ports.sh';

/**
 * Creates .env from .env.example, readable only by its owner. Replaces each placeholder by a separate password, and
 * ports that another clone or program uses by free ones. An existing .env is not changed. Of two concurrent runs, one
 * creates the complete file and the other finds it.
 */
export function setUpEnvFile(root: string): SetupReport {
  const draft = join(root, '.airlock', `env-${randomBytes(8).toString('hex')}`);
  mkdirSync(join(root, '.airlock'), { recursive: true });
  try {
    if (lstatSync(join(root, '.env'), { throwIfNoEntry: false })) return { created: false };
    writeFileSync(draft, fillIn(choosePorts(root, loadExample(root))), { flag: 'wx', mode: 0o600 });
    // A hard link appears atomically with its content, and fails if the name exists.
    linkSync(draft, join(root, '.env'));
    return { created: true };
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return { created: false };
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function fillIn(example: string): string {
  const isSetting = (line: string) => !line.startsWith('#');
  const fill = (line: string) => line.replace(PLACEHOLDER, () => randomBytes(24).toString('base64url'));
  return example
    .split('\n')
    .map((line) => (isSetting(line) ? fill(line) : line))
    .join('\n');
}

function choosePorts(root: string, example: string): string {
  if (!existsSync(join(root, CHOOSE_PORTS))) return example;
  const { status, stdout, stderr, error } = spawnSync('/bin/sh', [CHOOSE_PORTS], {
    cwd: root,
    input: example,
    encoding: 'utf8',
  });
  if (status === 0) return stdout;
  const violation = {
    name: CHOOSE_PORTS,
    problem: `failed: ${error?.message ?? stderr.trim()}`,
    expected: 'free ports for .env',
    fix: 'run `sh tools/choose-ports.sh <.env.example` to see the cause, or write .env by hand',
  };
  throw new ConfigError([violation], { cause: error });
}

function loadExample(root: string): string {
  try {
    return readFileSync(join(root, '.env.example'), 'utf8');
  } catch (error) {
    const violation = {
      name: '.env.example',
      problem: 'cannot be read in this folder',
      expected: 'the example of this workspace',
      fix: 'run `airlock setup` in the root of the workspace, or write the file with `airlock config example --write`',
    };
    throw new ConfigError([violation], { cause: error });
  }
}
