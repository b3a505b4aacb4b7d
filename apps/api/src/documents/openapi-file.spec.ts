import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findBreakingChanges, findRelease, type Json, readReleased } from '@airlock/service/documents';
import { describe, expect, it } from '@jest/globals';
import { OPENAPI_FILE, renderOpenApiFile, WORKSPACE } from './openapi-file.js';

const FIX = 'run `nx run api:documents` and commit what it writes';

describe('openapi.json', () => {
  const committed = readFileSync(join(WORKSPACE, OPENAPI_FILE), 'utf8');

  it('says what the code says', async () => {
    const isStale = (await renderOpenApiFile()) !== committed;
    expect({ isStale, fix: FIX }).toEqual({ isStale: false, fix: FIX });
  });

  it('breaks on nothing in the document of the last release', () => {
    const current = JSON.parse(committed) as Json;
    const release = findRelease(WORKSPACE);
    // Before the first release there is no client to break, and the comparison has nothing to find.
    const released = release === undefined ? current : readReleased(WORKSPACE, { tag: release, path: OPENAPI_FILE });
    expect({ release, changes: findBreakingChanges(released, current) }).toEqual({ release, changes: [] });
  });
});
