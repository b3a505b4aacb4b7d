import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The existing tables of a folder; every file runs on a copy of them. */
const SCHEMA_FILE = 'schema.sql';

const isSqlName = (name: string) => /\.sql$/i.test(name);

export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // A link may lead nowhere, or to itself.
    return false;
  }
}

/** Includes hidden files and symbolic links, and folders whose name ends in .sql: those are reported as unreadable. */
export function listSqlFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter(isSqlName)
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => path !== findSchema(folder));
}

/** Some systems write it as `SCHEMA.SQL`. Beside a `schema.sql`, that file is a draft. */
export function findSchema(folder: string): string | undefined {
  const names = readdirSync(folder).filter((name) => name.toLowerCase() === SCHEMA_FILE);
  const name = names.includes(SCHEMA_FILE) ? SCHEMA_FILE : names[0];
  return name === undefined ? undefined : join(folder, name);
}

/** Names of the folders inside, hidden and linked ones too, that contain SQL at any depth. */
export function listUncheckedFolders(folder: string): string[] {
  const root = realpathSync(folder);
  return listFolders(root).filter((name) => !isSqlName(name) && mayContainSql(join(root, name), new Set([root])));
}

function mayContainSql(folder: string, seen: Set<string>): boolean {
  try {
    const path = realpathSync(folder);
    // A link may lead back to a folder above it.
    if (seen.has(path)) return false;
    seen.add(path);
    return listSqlFiles(path).length > 0 || listFolders(path).some((name) => mayContainSql(join(path, name), seen));
  } catch {
    // A folder that cannot be read may contain any file.
    return true;
  }
}

function listFolders(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => isFolder(join(folder, name)))
    .sort();
}
