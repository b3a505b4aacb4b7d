import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, transform } from '@swc/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { skipUnless } from '@airlock/config/testing';
import { listFiles, readJson, readText, root } from './repository.js';

const TOOL: string = '../../tools/rename.mjs';
const { renameWorkspace } = (await import(TOOL)) as {
  renameWorkspace: (root: string, to: string) => { from: string; wordIn: number };
};

// In two parts, so that this file does not contain the word that it searches for.
const OTHER = ['xyl', 'oph'].join('');
const TWO_WORDS = ['xyl', 'oph'].join('-');
/** These specs also run in a renamed workspace, perhaps under one of the names below. */
const { name: CURRENT, renamed } = readJson<{ name: string; renamed?: { wordIn?: number } }>('package.json');
const ORDINARY = ['attempt', 'product', 'devices', 'locale'].filter((name) => name !== CURRENT);
let copy: string;
/** Whether a test may have changed the copy. */
let isChanged = false;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'renamed-'));
  execFileSync('xargs', ['-0', 'cp', '--parents', '--no-dereference', '--reflink=auto', `--target-directory=${copy}`], {
    cwd: root,
    input: listFiles().join('\0'),
  });
  writeFileSync(
    join(copy, 'package.json'),
    JSON.stringify({ ...readJson<object>('package.json'), renamed: undefined }),
  );
  git('init', '--quiet');
  commit();
  git('tag', 'start');
});
beforeEach(() => {
  if (!isChanged) return;
  git('reset', '--quiet', '--hard', 'start');
  git('clean', '--quiet', '-dfx');
  isChanged = false;
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const git = (...args: string[]) => execFileSync('git', args, { cwd: copy, encoding: 'utf8', stdio: 'pipe' });
const write = (path: string, text: string) => {
  isChanged = true;
  writeFileSync(join(copy, path), text);
};
const read = (path: string) => readFileSync(join(copy, path), 'utf8');

/**
 * Renames the copy as `make rename` does. A refusal should not change it; if it does, the next test must not be
 * affected.
 */
function rename(to: string): { from: string; wordIn: number } {
  isChanged = true;
  return renameWorkspace(copy, to);
}

/** A test that has shown that the copy is unchanged avoids restoring it. */
function expectUnchanged(): void {
  expect(git('status', '--porcelain')).toBe('');
  isChanged = git('rev-parse', 'HEAD') !== git('rev-parse', 'start');
}

function commit(): void {
  git('add', '--all');
  git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '--quiet', '--message=all');
}

describe('renameWorkspace', () => {
  it('leaves the old name in no spelling and in no path', () => {
    write('.env', 'DATABASE_URL=postgres://airlock_app:secret@127.0.0.1:1/airlock_development\n');
    expect(rename(OTHER)).toEqual({ from: 'airlock', wordIn: 0 });
    git('add', '--all');
    // The old name is recorded.
    expect(git('grep', '--cached', '-Ii', 'airlock')).toBe('package.json:    "from": "airlock"\n');
    expect(git('ls-files').toLowerCase()).not.toContain('airlock');
    expect(read('.env')).toBe(`DATABASE_URL=postgres://${OTHER}_app:secret@127.0.0.1:1/${OTHER}_development\n`);
  });

  it('names packages, the command and variables alike', () => {
    rename(OTHER);
    const { name, bin } = JSON.parse(read('apps/cli/package.json')) as { name: string; bin: Record<string, string> };
    expect(name).toBe(`@${OTHER}/cli`);
    expect(bin).toEqual({ [OTHER]: `bin/${OTHER}.js` });
    expect(read(`apps/cli/bin/${OTHER}.js`)).toBe(
      readFileSync(join(root, 'apps/cli/bin/airlock.js'), 'utf8').replaceAll('airlock', OTHER),
    );
    expect(read('docker/compose')).toContain(`${OTHER.toUpperCase()}_PROJECT`);
  });

  it('can be done again', () => {
    rename(OTHER);
    commit();
    rename('airlock');
    expect(git('status', '--porcelain').split('\n').length).toBeGreaterThan(100);
    for (const path of ['README.md', 'libs/config/src/variables/schema.ts', 'compose.yml'])
      expect(read(path)).toBe(readFileSync(join(root, path), 'utf8'));
  });

  it.each([...ORDINARY, 'contest', TWO_WORDS, 'a1', 'latest'].filter((name) => name !== CURRENT))(
    'accepts %s',
    (name) => {
      rename(name);
      expect((JSON.parse(read('package.json')) as { name: string }).name).toBe(name);
    },
  );

  it('uses the spelling of a name of several words that each place requires', () => {
    const snake = TWO_WORDS.replace('-', '_');
    write('.env', 'DATABASE_URL=postgres://airlock_app:secret@127.0.0.1:1/airlock_development\n');
    rename(TWO_WORDS);
    expect(read('.env')).toBe(`DATABASE_URL=postgres://${snake}_app:secret@127.0.0.1:1/${snake}_development\n`);
    expect(read('docker/compose')).toContain(`${snake.toUpperCase()}_PROJECT`);
    expect(read('README.md')).toContain('# Xyl Oph');
    expect(read('libs/config/src/nest/index.ts')).toContain('XylOphConfigModule');
    expect(JSON.parse(read('apps/cli/package.json'))).toMatchObject({
      name: `@${TWO_WORDS}/cli`,
      bin: { [TWO_WORDS]: `bin/${TWO_WORDS}.js` },
    });
  });

  it('leaves source that can be parsed, for any name', async () => {
    rename(TWO_WORDS);
    const failures: string[] = [];
    for (const path of listFiles(/\.(ts|mjs|js)$/)) {
      const renamed = read(path.replaceAll('airlock', TWO_WORDS));
      // A source without the name is unchanged, and is compiled by its users.
      if (renamed === readText(path)) continue;
      // Compiled instead of parsed, because returning the tree of a parser takes far longer.
      const problem = await transform(renamed, { swcrc: false, jsc: { parser: SYNTAX } }).then(() => undefined, String);
      if (problem !== undefined) failures.push(`${path}: ${problem.split('\n')[0]}`);
    }
    expect(failures).toEqual([]);
  });

  const isOnlyName = (renamed?.wordIn ?? 0) === 0;
  const itForName = skipUnless(isOnlyName, it, 'the name is an ordinary word in the sources');
  itForName('finds no identifier that is the bare name, which a hyphen would turn into a subtraction', async () => {
    const failures: string[] = [];
    for (const path of listFiles(/\.(ts|mjs|js)$/)) {
      const source = readText(path);
      // Parsed only if the name occurs as a word, other than as the scope of a package.
      if (
        /(?<![\w$])airlock(?![\w$])/.test(source.replaceAll('@airlock/', '')) &&
        hasIdentifier(await parseSource(source), 'airlock')
      )
        failures.push(path);
    }
    // PostgreSQL reads the name of a setting as identifiers with dots between them.
    const setting = /(current_setting|set_config)\('airlock\./;
    failures.push(...listFiles(/\.(sql|ts|sh)$/).filter((path) => setting.test(readText(path))));
    expect(failures).toEqual([]);
  });

  it('refuses another name after one that is also an ordinary word', () => {
    const [ordinary = ''] = ORDINARY;
    rename(ordinary);
    commit();
    expect(() => rename(OTHER)).toThrow(
      new RegExp(`^NAME: "${ordinary}" was an ordinary word in \\d+ files before .*\n {2}git revert`),
    );
    expectUnchanged();
  });

  it.each([
    ['', /^NAME: is ""; expected 2 to 20 lowercase letters, digits or single hyphens, starting with a letter/],
    ['My-App', /^NAME: is "My-App"; expected 2 to 20 lowercase/],
    ['my--app', /^NAME: is "my--app"; expected 2 to 20 lowercase/],
    ['app-', /^NAME: is "app-"; expected 2 to 20 lowercase/],
    ['../x', /^NAME: is "\.\.\/x"; expected 2 to 20 lowercase/],
    ['test', /^NAME: "test" contains the word "test", which names an environment; expected another name/],
    ['shop-prod', /^NAME: "shop-prod" contains the word "prod", which names an environment/],
    ['dev2', /^NAME: "dev2" contains the word "dev", which names an environment/],
    ['jest', /^NAME: "jest" is a command of this workspace; expected another name/],
    ['nestjs', /^NAME: "nestjs" is a scope of packages of this workspace; expected another name/],
    ['config', /^NAME: "config" is a project of this workspace; expected another name/],
  ])('refuses %j, and changes nothing', (name, message) => {
    expect(() => rename(name)).toThrow(message);
    expectUnchanged();
  });

  it('keeps the data of the old name out of every commit', () => {
    mkdirSync(join(copy, `.${CURRENT}`));
    write(`.${CURRENT}/private.json`, '{}');
    rename(OTHER);
    git('add', '--all');
    expect(git('ls-files', `.${CURRENT}`)).toBe('');
  });

  it('is what make rename runs', () => {
    const { stderr } = spawnSync('make', ['--old-file=node_modules/.installed', 'rename', 'NAME=1'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^NAME: is "1"; expected 2 to 20 lowercase letters/);
  });

  it('refuses a folder that is not a Git checkout', () => {
    const folder = join(copy, 'docs');
    expect(() => renameWorkspace(folder, OTHER)).toThrow(/^this folder is not a Git checkout; .*\n {2}git init/);
  });

  it('refuses a checkout with changes', () => {
    write('new.txt', 'mine');
    expect(() => rename(OTHER)).toThrow('the checkout has uncommitted changes; expected none');
  });
});

const SYNTAX = { syntax: 'typescript', decorators: true } as const;
const parseSource = (source: string) => parse(source, SYNTAX);

function hasIdentifier(node: unknown, name: string): boolean {
  if (typeof node !== 'object' || node === null) return false;
  const { type, value } = node as { type?: unknown; value?: unknown };
  return (type === 'Identifier' && value === name) || Object.values(node).some((child) => hasIdentifier(child, name));
}
