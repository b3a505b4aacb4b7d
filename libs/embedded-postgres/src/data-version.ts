import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readServerMajor } from './binaries.js';
import { FolderRefusal } from './folder-refusal.js';
import { proposeMovingAside } from './own-folder.js';

const NAME = 'PG_VERSION';
const MAX_SHOWN = 20;
const KEEP_ROWS = 'To keep its rows: docs/postgresql-major.md, "The laptop".';

/** Every major version writes its own format, and no server reads that of another. @returns the refusal, if any */
export function refuseOtherMajor(dataDir: string): FolderRefusal | undefined {
  const expected = readServerMajor();
  let text: string;
  try {
    text = readFileSync(join(dataDir, NAME), 'utf8').trim();
  } catch (error) {
    return refuseUnreadable(dataDir, error as NodeJS.ErrnoException);
  }
  if (text === expected) return undefined;
  const found = /^\d+(\.\d+)?$/.test(text)
    ? `holds the data of PostgreSQL ${text}`
    : `has the version ${JSON.stringify(text.slice(0, MAX_SHOWN))} in ${NAME}`;
  const fix = `${proposeMovingAside(dataDir)}\n${KEEP_ROWS}`;
  return new FolderRefusal(dataDir, found, { expected: `the data of PostgreSQL ${expected}`, fix });
}

function refuseUnreadable(dataDir: string, { code = 'unknown' }: NodeJS.ErrnoException): FolderRefusal {
  const file = join(dataDir, NAME);
  const fix = code === 'EACCES' ? `Make it readable: chmod u+r ${file}` : proposeMovingAside(dataDir);
  return new FolderRefusal(file, `cannot be read (${code})`, {
    expected: 'a file with the major version of the data',
    fix,
  });
}
