import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Violation } from '../values/config-error.js';

export const MAX_SECRET_BYTES = 65_536;

export interface SecretFile {
  readonly path: string;
  /** The base of a relative path. */
  readonly cwd: string | undefined;
  /** The variable that names the file. */
  readonly name: string;
  readonly maxBytes: number;
}

/** The content of a file named by NAME_FILE, without its last line end. */
export function loadSecretFile({ path, cwd, name, maxBytes }: SecretFile): { text: string } | Violation {
  const refuse = (problem: string): Violation => ({
    name,
    problem,
    expected: `a readable text file of at most ${maxBytes} bytes`,
    fix: `correct the path, or mount the file there`,
  });
  try {
    const full = resolve(cwd ?? '/', path);
    const stat = statSync(full);
    // Reading a pipe or a device could block the start without limit.
    if (!stat.isFile()) return refuse(`names a ${stat.isDirectory() ? 'folder' : 'special file'}`);
    if (stat.size > maxBytes) return refuse(`names a file of ${stat.size} bytes`);
    if (stat.size === 0) return refuse('names an empty file');
    return { text: decodeText(readFileSync(full)).replace(/\r?\n$/, '') };
  } catch (error) {
    return refuse(`names a file that ${describeFileError(error)}`);
  }
}

/** @throws TypeError for bytes that are not UTF-8 */
export function decodeText(bytes: Buffer): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

/**
 * Describes an error of the file system without the path, because NAME_FILE may contain the secret itself by mistake.
 */
export function describeFileError(error: unknown): string {
  const code = errorCode(error);
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'cannot be read (permission denied)';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not UTF-8 text';
  return `cannot be read${code ? ` (${code})` : ''}`;
}

/** Checks the shape, because in a test runner errors of the file system are instances of another realm. */
export function errorCode(error: unknown): string | undefined {
  const isCoded = typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string';
  return isCoded ? (error.code as string) : undefined;
}
