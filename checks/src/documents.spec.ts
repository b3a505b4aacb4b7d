import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { model } from '@airlock/model';
import { listFiles, readText, root } from './repository.js';

const documents = listFiles(/\.md$/);
const targets = new Set([...readText('Makefile').matchAll(/^([a-z][a-z-]*):/gm)].map((match) => match[1]));
const lineLimits: [RegExp, number][] = [
  [/^README\.md$/, 120],
  [/^ARCHITECTURE\.md$/, 150],
  [/^docs\/adr\/\d{4}-.*\.md$/, 60],
  [/^(apps|libs)\/[^/]+\/README\.md$/, 40],
];

/** It describes the past, so the files that it names may have moved. */
const isHistory = (path: string) => path === 'CHANGELOG.md';
/**
 * `docs/adr/NNNN-title.md`, the resource `notes` that a guide creates, or a file that a clone lacks until a command
 * creates it.
 */
const isPlaceholder = (name: string) => /[A-Z]{4,}\b|\bnotes?\b/.test(name) || ignored.includes(name);
const ignored = ['docker/images.lock'];

describe.each(documents)('%s', (path) => {
  const text = readText(path);

  it('links only to files that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)].map((match) => match[1] ?? '');
    expect(links.filter((link) => !existsSync(join(root, dirname(path), link)))).toEqual([]);
  });

  it('names only paths that exist', () => {
    const [project = '.'] = /^((apps|libs)\/[^/]+|checks|docker)(?=\/)/.exec(path) ?? [];
    const named = [...text.matchAll(/`((?:apps|libs|docker|docs|tools|checks|bench|src)\/[\w./-]+)`/g)].map(
      ([, name = '']) => name,
    );
    const isThere = (name: string) => ['.', project].some((folder) => existsSync(join(root, folder, name)));
    expect(named.filter((name) => !isHistory(path) && !isPlaceholder(name) && !isThere(name))).toEqual([]);
  });

  it('names only make targets that exist', () => {
    const named = [...text.matchAll(/(?:^|`)make ([a-z][a-z-]*)/gm)].map((match) => match[1]);
    expect(named.filter((name) => !targets.has(name))).toEqual([]);
  });

  it('is short enough to be read', () => {
    const limit = lineLimits.find(([pattern]) => pattern.test(path))?.[1] ?? Infinity;
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(limit);
  });
});

describe('commands that print a token', () => {
  it('name a user of the sample rows, so that the answer is not empty', () => {
    const texts = [...documents, 'apps/cli/src/commands/token.ts'].map(readText);
    const users = texts.flatMap((text) => [...text.matchAll(/\btoken --sub (\w+)/g)].map(([, user]) => user));
    expect(users.length).toBeGreaterThan(2);
    expect(users.filter((user = '') => !model.seeds.users.includes(user))).toEqual([]);
  });
});

describe.each(documents.filter((path) => /^docs\/adr\/\d{4}/.test(path)))('%s', (path) => {
  it('has the three sections of a decision', () => {
    const sections = [...readText(path).matchAll(/^## (.+)$/gm)].map((match) => match[1]);
    expect(sections).toEqual(['Context', 'Decision', 'Consequences']);
  });
});
