import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listFiles, listFilesOf, root } from './repository.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkout-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function copyTo(target: string, paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    cpSync(join(root, path), join(target, path));
  }
}

describe('.gitattributes', () => {
  it('gives every checkout the line ends of the repository, for every Git setting that converts them', () => {
    const [origin, clone] = [join(folder, 'origin'), join(folder, 'clone')];
    copyTo(origin, listFiles());
    const git = (...args: string[]) => execFileSync('git', args, { cwd: origin, stdio: 'pipe' });
    git('init', '--quiet');
    git('add', '--all');
    git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '--quiet', '--message=all');
    git('-c', 'core.autocrlf=true', '-c', 'core.eol=crlf', 'clone', '--quiet', origin, clone);
    const differs = (path: string) => !readFileSync(join(clone, path)).equals(readFileSync(join(root, path)));
    expect(listFilesOf(clone).filter(differs)).toEqual([]);
    expect(listFilesOf(clone)).toHaveLength(listFiles().length);
  });
});

describe('the files of a checkout', () => {
  it.each(['without a Git folder', 'with a Git folder that is broken', 'in which files were renamed'])(
    'are found %s',
    (state) => {
      copyTo(folder, ['.gitignore', 'README.md', 'apps/cli/bin/airlock.js']);
      writeFileSync(join(folder, '.env'), 'ignored\n');
      if (state.includes('broken')) mkdirSync(join(folder, '.git'));
      if (state.includes('renamed')) {
        execFileSync('git', ['init', '--quiet'], { cwd: folder });
        execFileSync('git', ['add', '--all'], { cwd: folder });
        renameSync(join(folder, 'README.md'), join(folder, 'READ.md'));
      }
      expect(listFilesOf(folder).sort()).toEqual(
        ['.gitignore', state.includes('renamed') ? 'READ.md' : 'README.md', 'apps/cli/bin/airlock.js'].sort(),
      );
    },
  );
});

describe('tools/install.sh', () => {
  const LOCK = { packages: { '': { devDependencies: { one: '1.0.0' } }, 'node_modules/one': { version: '1.0.0' } } };
  const MARK = 'node_modules/.installed';
  const write = (path: string, content: object | string) =>
    writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content));

  /** A checkout with one package, and an npm that records its arguments and installs the contents of the lockfile. */
  beforeEach(() => {
    copyTo(folder, ['tools/install.sh', 'tools/is-installed.mjs']);
    mkdirSync(join(folder, 'bin'));
    write('package.json', { devDependencies: { one: '1.0.0' } });
    write('package-lock.json', LOCK);
    write('.npmrc', '');
    write(
      'bin/npm',
      '#!/bin/sh\necho "$1" >>npm.log\n[ "$1" != ci ] || { [ ! -e broken ] && mkdir -p node_modules && cp package-lock.json node_modules/.package-lock.json; }\n',
    );
    chmodSync(join(folder, 'bin/npm'), 0o755);
  });

  /** @returns the commands of npm that it ran */
  function install(): string[] {
    rmSync(join(folder, 'npm.log'), { force: true });
    const path = `${join(folder, 'bin')}:${dirname(process.execPath)}:/usr/bin:/bin`;
    const { status } = spawnSync('sh', ['tools/install.sh', MARK], {
      cwd: folder,
      env: { PATH: path, TMPDIR: folder },
    });
    const log = join(folder, 'npm.log');
    const commands = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
    return status === 0 ? commands : [...commands, `exit ${status}`];
  }

  it('installs once', () => {
    expect(install()).toEqual(['ci', 'run']);
    expect(install()).toEqual([]);
  });

  it('does not install again if files are newer with the same content', () => {
    install();
    for (const path of ['package-lock.json', 'package.json', '.npmrc']) {
      utimesSync(join(folder, path), new Date(), new Date(Date.now() + 60_000));
    }
    expect(install()).toEqual([]);
  });

  it('removes nothing if npm has already installed the changed lockfile', () => {
    install();
    const packages = { ...LOCK.packages, 'node_modules/two': { version: '2.0.0' } };
    write('package-lock.json', { packages });
    write('node_modules/.package-lock.json', { packages });
    expect(install()).toEqual(['run']);
    expect(install()).toEqual([]);
  });

  it.each([
    ['another version', { 'node_modules/one': { version: '1.0.1' } }],
    ['other content of the same version', { 'node_modules/one': { version: '1.0.0', integrity: 'sha512-x' } }],
    ['one more package', { 'node_modules/two': { version: '2.0.0' } }],
  ])('installs if the lockfile names %s', (_what, entry) => {
    install();
    write('package-lock.json', { packages: { ...LOCK.packages, ...entry } });
    expect(install()).toEqual(['ci', 'run']);
  });

  it('leaves out packages of other systems', () => {
    install();
    write('package-lock.json', {
      packages: { ...LOCK.packages, 'node_modules/mac': { version: '1.0.0', optional: true } },
    });
    expect(install()).toEqual(['run']);
  });

  it('leaves a package.json that differs from the lockfile to npm', () => {
    install();
    write('package.json', { devDependencies: { one: '^2.0.0' } });
    expect(install()).toEqual(['ci', 'run']);
  });

  it('installs again after a failed installation', () => {
    write('broken', '');
    expect(install()).toEqual(['ci', 'exit 1']);
    rmSync(join(folder, 'broken'));
    expect(install()).toEqual(['ci', 'run']);
  });
});
