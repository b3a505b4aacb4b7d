import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { withFolder } from '../testing/index.js';
import { renderDocs, renderExamples, writeGenerated } from './generated-files.js';

const root = new URL('../../../../', import.meta.url);
const files = [...renderExamples(), ...renderDocs()];

describe('generated files', () => {
  it.each(files)('$path is up to date with `$command`', ({ path, content, command }) => {
    const committed = readFileSync(new URL(path, root), 'utf8');
    // The command is part of the comparison, so that a failure shows the fix.
    expect({ content: committed, fix: command }).toEqual({ content, fix: command });
  });

  it('give development no port that an outgoing connection could take before its server', () => {
    const text = files.find(({ path }) => path === '.env.example')?.content ?? '';
    const ports = [...text.matchAll(/PORT=(\d+)$|127\.0\.0\.1:(\d+)\//gm)].map(([, own, url]) => Number(own ?? url));
    expect(ports).toContain(15_432);
    expect(Math.max(...ports)).toBeLessThan(32_768);
  });

  it('are written to their paths', async () => {
    await withFolder({}, (folder) => {
      writeGenerated(files, folder);
      for (const { path, content } of files) expect(readFileSync(`${folder}/${path}`, 'utf8')).toBe(content);
    });
  });
});
