import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../values/config-error.js';
import { errorCode } from './secret-file.js';

export interface SetupReport {
  readonly created: boolean;
}

/** The word that the examples print where a password belongs. */
const PLACEHOLDER = /changethis/g;

/** Shared with the Makefile, which works without Node too. */
const CHOOSE_PORTS = 'tools/choose-ports.sh';

/**
 * Makes .env from .env.example, readable by its owner alone, each placeholder replaced by a password of its own, and each
 * port by a free one where another clone or another program has the usual one. A .env that is there stays as it is. Of two runs at once one makes the file and the other finds it, complete.
 */
export function setUpEnvFile(root: string): SetupReport {
  const draft = join(root, '.airlock', `env-${randomBytes(8).toString('hex')}`);
  mkdirSync(join(root, '.airlock'), { recursive: true });
  try {
    if (lstatSync(join(root, '.env'), { throwIfNoEntry: false })) return { created: false };
    writeFileSync(draft, fillIn(choosePorts(root, loadExample(root))), { flag: 'wx', mode: 0o600 });
    // A link appears at once and complete, and fails where the name is taken.
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
    mend: 'run `sh tools/choose-ports.sh <.env.example` to see why, or write .env by hand',
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
      expected: 'the example that belongs to the workspace',
      mend: 'run `airlock setup` in the root of the workspace, or write the file with `airlock config example --write`',
    };
    throw new ConfigError([violation], { cause: error });
  }
}
