import { lstatSync, readdirSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Violation } from '../values/config-error.js';
import { parseEnvFile } from './env-file.js';
import type { Environment } from '../values/environment.js';
import { quote } from '../values/quote.js';
import { decodeText, describeFileError, errorCode } from './secret-file.js';

export interface EnvFile {
  readonly path: string;
  readonly texts: ReadonlyMap<string, string>;
  readonly violations: readonly Violation[];
  readonly warnings: readonly string[];
}

const MAX_BYTES = 262_144;
const UNLISTED = '.env*';
const READ_BY_OTHERS = 0o004;

/** @returns undefined if there is no such file. An unusable file is returned with the reason and without texts. */
export function loadEnvFile(cwd: string, path: string): EnvFile | undefined {
  const full = join(cwd, path);
  const unusable = (problem: string) => ({
    path,
    texts: new Map(),
    violations: [unusableFile(path, problem)],
    warnings: [],
  });
  try {
    const link = lstatSync(full, { throwIfNoEntry: false });
    if (!link) return undefined;
    const stats = statSync(full, { throwIfNoEntry: false });
    const problem = stats ? findProblem(cwd, path, stats) : 'is a link to nothing';
    if (!stats || problem !== undefined) return unusable(problem ?? '');
    const { texts, violations } = parseEnvFile(decodeText(readFileSync(full)), path);
    return { path, texts, violations, warnings: warn(path, stats) };
  } catch (error) {
    return unusable(describeFileError(error));
  }
}

/** Deployed environments reject .env files, which may have been copied by accident. */
export function findForbiddenEnvFiles(cwd: string, environment: Environment): Violation[] {
  return listEnvFiles(cwd).map((name) => ({
    name: showName(name),
    problem:
      name === UNLISTED
        ? 'may be in the working folder, which cannot be listed'
        : `is in the working folder, but ${environment} reads no .env file`,
    expected: 'only the process environment and NAME_FILE secrets',
    fix: `remove the file, or start in another folder`,
  }));
}

/** A missing folder has no files. A folder that cannot be listed may have some. */
function listEnvFiles(cwd: string): string[] {
  try {
    const files = readdirSync(cwd, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
    return files.map(({ name }) => name).filter((name) => name.startsWith('.env') && !name.endsWith('.example'));
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? [] : [UNLISTED];
  }
}

/**
 * A mounted volume links .env to another folder. A link to another file name would be the file of another environment.
 */
function findProblem(cwd: string, path: string, stats: Stats): string | undefined {
  if (stats.isDirectory()) return 'is a folder';
  // Reading a pipe or a device could block the start without limit.
  if (!stats.isFile()) return 'is a special file';
  const target = basename(realpathSync(join(cwd, path)));
  const other = target === path ? findTwin(cwd, path, stats) : target;
  if (other !== undefined) return `is the same file as ${showName(other)}`;
  return stats.size > MAX_BYTES ? `has ${stats.size} bytes` : undefined;
}

/** Another .env file that is a hard link to the same file. */
function findTwin(cwd: string, path: string, { dev, ino }: Stats): string | undefined {
  return listEnvFiles(cwd).find((name) => {
    const stats = name === path ? undefined : statSync(join(cwd, name), { throwIfNoEntry: false });
    return stats?.dev === dev && stats.ino === ino;
  });
}

function showName(name: string): string {
  return /^[\w.*-]+$/.test(name) ? name : quote(name, []);
}

function unusableFile(name: string, problem: string): Violation {
  return { name, problem, expected: 'a separate text file', fix: `replace ${name} by a file, or remove it` };
}

function warn(path: string, stats: Stats): string[] {
  const isOpen = stats.isFile() && (stats.mode & READ_BY_OTHERS) !== 0;
  return isOpen ? [`${path}: other users of this machine can read it; chmod 600 ${path}`] : [];
}
