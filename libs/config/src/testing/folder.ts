import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const FOLDER = Symbol('folder');

/** The entries of a working folder: a text, bytes, a link to another name, a hard link to a file, or a folder. */
export type FolderContent = Readonly<
  Record<string, string | Buffer | { linkTo: string } | { sameAs: string } | typeof FOLDER>
>;

export async function withFolder<T>(content: FolderContent, use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-config-'));
  try {
    for (const [name, entry] of Object.entries(content)) place(folder, name, entry);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function place(folder: string, name: string, entry: FolderContent[string]): void {
  const path = join(folder, name);
  if (entry === FOLDER) mkdirSync(path);
  else if (typeof entry === 'object' && 'linkTo' in entry) symlinkSync(entry.linkTo, path);
  else if (typeof entry === 'object' && 'sameAs' in entry) linkSync(join(folder, entry.sameAs), path);
  else writeFileSync(path, entry, { mode: 0o600 });
}
