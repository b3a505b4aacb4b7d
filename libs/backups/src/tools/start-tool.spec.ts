import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from '@jest/globals';
import { startTool } from './start-tool.js';

it('keeps the output of a tool that ended before it was read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-tool-'));
  try {
    writeFileSync(join(folder, 'pg_dump'), '#!/bin/sh\nprintf dumped', { mode: 0o700 });
    const tool = startTool('pg_dump', [], { folder });
    await tool.ended;
    expect(await text(tool.output)).toBe('dumped');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
