import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createDocuments, DOCUMENT_ROOT, ERROR_FOLDER } from './documents.js';

const MEND = 'run `nx run api:documents` and commit what it writes';

describe('generated documents', () => {
  let documents: ReadonlyMap<string, string>;
  beforeAll(async () => void (documents = await createDocuments()));

  it('say what the code says', () => {
    const stale = [...documents].filter(([path, content]) => readCommitted(path) !== content).map(([path]) => path);
    expect({ stale, mend: MEND }).toEqual({ stale: [], mend: MEND });
  });

  it('have no page for a code that no longer exists', () => {
    const committed = readdirSync(join(DOCUMENT_ROOT, ERROR_FOLDER)).map((name) => `${ERROR_FOLDER}/${name}`);
    expect(committed.filter((path) => !documents.has(path))).toEqual([]);
  });
});

function readCommitted(path: string): string | undefined {
  try {
    return readFileSync(join(DOCUMENT_ROOT, path), 'utf8');
  } catch {
    return undefined;
  }
}
