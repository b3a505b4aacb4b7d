import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ScratchWorkspace } from './workspace.fixture.js';
import { writeAll } from './write-all.js';

let workspace: ScratchWorkspace;
let before: Record<string, string>;
beforeEach(() => {
  workspace = new ScratchWorkspace();
  workspace.write('old.txt', 'old');
  before = workspace.snapshot();
});
afterEach(() => workspace.remove());

const OLD = { path: 'old.txt', text: 'new', before: 'old' };
const FRESH = { path: 'a/b/fresh.txt', text: 'fresh' };

describe('writeAll', () => {
  it('writes new files, with their folders, and changes others', () => {
    writeAll(workspace.root, [OLD, FRESH]);
    expect([workspace.read('old.txt'), workspace.read('a/b/fresh.txt')]).toEqual(['new', 'fresh']);
  });

  it('returns a function that undoes everything', () => {
    writeAll(workspace.root, [OLD, FRESH])();
    expect(workspace.snapshot()).toEqual(before);
  });

  it.each([
    ['a file exists in place of a folder', { path: 'old.txt/file.txt', text: '' }, /ENOTDIR|EEXIST/],
    ['a new file already exists', { path: 'old.txt', text: '' }, /EEXIST|^old\.txt: already exists/],
  ])('leaves everything unchanged if %s', (_, impossible, said) => {
    const others = impossible.path === OLD.path ? [FRESH] : [FRESH, OLD];
    expect(() => writeAll(workspace.root, [...others, impossible])).toThrow(said);
    expect(workspace.snapshot()).toEqual(before);
  });

  it('leaves everything unchanged if another process has changed a file since it was read', () => {
    const outdated = { path: 'old.txt', text: 'new', before: 'older' };
    expect(() => writeAll(workspace.root, [FRESH, outdated])).toThrow(/^old\.txt: another process changed it/);
    expect(workspace.snapshot()).toEqual(before);
  });

  it('restores replaced files if a later file cannot be written', () => {
    mkdirSync(join(workspace.root, 'folder'));
    before = workspace.snapshot();
    const impossible = { path: 'folder', text: '', before: '' };
    expect(() => writeAll(workspace.root, [FRESH, OLD, impossible])).toThrow('EISDIR');
    expect(workspace.snapshot()).toEqual(before);
  });
});
