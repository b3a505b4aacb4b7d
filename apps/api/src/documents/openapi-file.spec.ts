import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findBreakingChanges, findRelease, type Json, readReleased } from '@airlock/service/documents';
import { describe, expect, it } from '@jest/globals';
import { api } from '../api.js';
import { OPENAPI_FILE, renderOpenApiFile, WORKSPACE } from './openapi-file.js';

const FIX = 'run `nx run api:documents` and commit what it writes';

describe('openapi.json', () => {
  const committed = readFileSync(join(WORKSPACE, OPENAPI_FILE), 'utf8');

  it('matches the code', async () => {
    const isStale = (await renderOpenApiFile(api)) !== committed;
    expect({ isStale, fix: FIX }).toEqual({ isStale: false, fix: FIX });
  });

  it('has no breaking change since the last release', () => {
    const current = JSON.parse(committed) as Json;
    const release = findRelease(WORKSPACE);
    // Before the first release there are no clients, and nothing to compare with.
    const released = release === undefined ? current : readReleased(WORKSPACE, { tag: release, path: OPENAPI_FILE });
    expect({ release, changes: findBreakingChanges(released, current) }).toEqual({ release, changes: [] });
  });
});
