import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const FOLDER = Symbol('folder');

/** What lies in a working folder: a text, bytes, a link to another name, or a folder. */
export type FolderContent = Readonly<Record<string, string | Buffer | { linkTo: string } | typeof FOLDER>>;

export async function withFolder<T>(content: FolderContent, use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-config-'));
  try {
    for (const [name, entry] of Object.entries(content)) place(join(folder, name), entry);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function place(path: string, entry: FolderContent[string]): void {
  if (entry === FOLDER) mkdirSync(path);
  else if (typeof entry === 'object' && 'linkTo' in entry) symlinkSync(entry.linkTo, path);
  else writeFileSync(path, entry, { mode: 0o600 });
}
