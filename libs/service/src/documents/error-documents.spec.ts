import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { createErrorDocuments, ERROR_FOLDER } from './error-documents.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const FIX = 'run `nx run service:documents` and commit what it writes';

describe('generated documents', () => {
  const documents = createErrorDocuments();
  const readCommitted = (path: string) =>
    existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), 'utf8') : undefined;

  it('match the code', () => {
    const stale = [...documents].filter(([path, content]) => readCommitted(path) !== content).map(([path]) => path);
    expect({ stale, fix: FIX }).toEqual({ stale: [], fix: FIX });
  });

  it('have no page for a code that no longer exists', () => {
    const committed = readdirSync(join(ROOT, ERROR_FOLDER)).map((name) => `${ERROR_FOLDER}/${name}`);
    expect(committed.filter((path) => !documents.has(path))).toEqual([]);
  });
});
