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

it('names the folder in which a tool is missing, and where to take it from', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'airlock-tool-'));
  try {
    const { ended } = startTool('pg_dump', ['--version'], { folder: empty });
    await expect(ended).rejects.toThrow(`pg_dump: is not in ${empty}, which BACKUP_TOOLS names; expected`);
    await expect(ended).rejects.toThrow('docs/runbooks/restore.md#the-programs-of-postgresql');
  } finally {
    rmSync(empty, { recursive: true });
  }
});
