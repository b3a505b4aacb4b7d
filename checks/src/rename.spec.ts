import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listFiles, root } from './repository.js';

const TOOL: string = '../../tools/rename.mjs';
const { renameWorkspace } = (await import(TOOL)) as { renameWorkspace: (root: string, to: string) => string };

// In two parts, so that this file does not hold the word that it looks for.
const OTHER = ['xyl', 'oph'].join('');
let copy: string;

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'renamed-'));
  for (const path of listFiles().filter((path) => existsSync(join(root, path)))) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(root, path), join(copy, path));
  }
  git('init', '--quiet');
  git('add', '--all');
  git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '--quiet', '--message=all');
});
afterEach(() => rmSync(copy, { recursive: true, force: true }));

const git = (...args: string[]) => execFileSync('git', args, { cwd: copy, encoding: 'utf8' });
const read = (path: string) => readFileSync(join(copy, path), 'utf8');

describe('renameWorkspace', () => {
  it('leaves the old name nowhere, in no spelling and in no path', () => {
    writeFileSync(join(copy, '.env'), 'DATABASE_URL=postgres://airlock_app:secret@127.0.0.1:1/airlock_development\n');
    expect(renameWorkspace(copy, OTHER)).toBe('airlock');
    git('add', '--all');
    expect(() => git('grep', '--cached', '-Iil', 'airlock')).toThrow();
    expect(git('ls-files').toLowerCase()).not.toContain('airlock');
    expect(read('.env')).toBe(`DATABASE_URL=postgres://${OTHER}_app:secret@127.0.0.1:1/${OTHER}_development\n`);
  });

  it('names packages, the command and variables alike', () => {
    renameWorkspace(copy, OTHER);
    const { name, bin } = JSON.parse(read('apps/cli/package.json')) as { name: string; bin: Record<string, string> };
    expect(name).toBe(`@${OTHER}/cli`);
    expect(bin).toEqual({ [OTHER]: `bin/${OTHER}.js` });
    expect(read(`apps/cli/bin/${OTHER}.js`)).toBe(
      readFileSync(join(root, 'apps/cli/bin/airlock.js'), 'utf8').replaceAll('airlock', OTHER),
    );
    expect(read('docker/compose')).toContain(`${OTHER.toUpperCase()}_PROJECT`);
  });

  it('can be done again', () => {
    renameWorkspace(copy, OTHER);
    git('add', '--all');
    git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '--quiet', '--message=renamed');
    renameWorkspace(copy, 'airlock');
    expect(git('status', '--porcelain').split('\n').length).toBeGreaterThan(100);
    for (const path of ['README.md', 'libs/config/src/schema.ts', 'compose.yml'])
      expect(read(path)).toBe(readFileSync(join(root, path), 'utf8'));
  });

  it.each([
    ['', /^NAME: is ""; expected 2 to 20 small letters and digits, a letter first/],
    ['My-App', /^NAME: is "My-App"; expected 2 to 20 small letters and digits, a letter first/],
    ['../x', /^NAME: is "\.\.\/x"; expected 2 to 20 small letters and digits, a letter first/],
    ['contest', /^NAME: "contest" holds a word that environments are told by; expected none/],
    ['nest', /^NAME: "nest" stands in \d+ files already, such as .*; expected a word of its own/],
  ])('refuses %j, and changes nothing', (name, message) => {
    expect(() => renameWorkspace(copy, name)).toThrow(message);
    expect(git('status', '--porcelain')).toBe('');
  });

  it('refuses a checkout with changes', () => {
    writeFileSync(join(copy, 'new.txt'), 'mine');
    expect(() => renameWorkspace(copy, OTHER)).toThrow('the checkout has changes; expected none');
  });
});
