import { lstatSync, readdirSync, readFileSync, realpathSync, type Stats } from 'node:fs';
import { basename, join } from 'node:path';
import type { Violation } from './config-error.js';
import { parseEnvFile } from './env-file.js';
import type { Environment } from './environment.js';
import { decodeText, describeFileError } from './secret-file.js';

export interface EnvFile {
  readonly path: string;
  readonly texts: ReadonlyMap<string, string>;
  readonly violations: readonly Violation[];
  readonly warnings: readonly string[];
}

const MAX_BYTES = 262_144;
const READ_BY_OTHERS = 0o004;

/** @returns undefined where there is no such file; one that cannot be used comes back with the reason and no texts */
export function loadEnvFile(cwd: string, path: string): EnvFile | undefined {
  const full = join(cwd, path);
  try {
    const stats = lstatSync(full, { throwIfNoEntry: false });
    if (!stats) return undefined;
    const refusal = refuseFile(full, path, stats);
    if (refusal) return { path, texts: new Map(), violations: [refusal], warnings: [] };
    const { texts, violations } = parseEnvFile(decodeText(readFileSync(full)), path);
    return { path, texts, violations, warnings: warn(path, stats) };
  } catch (error) {
    return { path, texts: new Map(), violations: [refusal(path, describeFileError(error))], warnings: [] };
  }
}

/** Deployed environments take nothing from files that may have come along by accident. */
export function findForbiddenEnvFiles(cwd: string, environment: Environment): Violation[] {
  return listEnvFiles(cwd).map((name) => ({
    name,
    problem: `lies in the working folder, and ${environment} reads no such file`,
    expected: 'the process environment and NAME_FILE secrets alone',
    mend: `remove the file, or start in another folder`,
  }));
}

/** A folder that is gone holds no file; one that cannot be listed might. */
function listEnvFiles(cwd: string): string[] {
  try {
    const files = readdirSync(cwd, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
    return files.map(({ name }) => name).filter((name) => name.startsWith('.env') && !name.endsWith('.example'));
  } catch (error) {
    return describeFileError(error) === 'is not there' ? [] : ['.env* (the working folder cannot be listed)'];
  }
}

function refuseFile(full: string, path: string, stats: Stats): Violation | undefined {
  const target = stats.isSymbolicLink() ? basename(resolveLink(full)) : path;
  // A mounted volume links .env to another folder; a link to another name makes one environment read another's file.
  if (target !== path) return refusal(path, `is a link to ${target}`);
  if (stats.isDirectory()) return refusal(path, 'is a folder');
  if (!stats.isFile() && !stats.isSymbolicLink()) return refusal(path, 'is a special file');
  return stats.size > MAX_BYTES ? refusal(path, `has ${stats.size} bytes`) : undefined;
}

function resolveLink(full: string): string {
  try {
    return realpathSync(full);
  } catch {
    return 'nothing';
  }
}

function refusal(name: string, problem: string): Violation {
  return { name, problem, expected: 'a text file of its own', mend: `replace ${name} by a file, or remove it` };
}

function warn(path: string, stats: Stats): string[] {
  const isOpen = stats.isFile() && (stats.mode & READ_BY_OTHERS) !== 0;
  return isOpen ? [`${path}: other users of this machine can read it; chmod 600 ${path}`] : [];
}
