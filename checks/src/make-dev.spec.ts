import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readJson, root } from './repository.js';

/** Replaces the API by a command that prints its arguments and environment. */
const PRINT = `node -p "JSON.stringify([process.env.NODE_OPTIONS, process.env.API_NODE_OPTIONS])"`;
const SURROUNDINGS = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, TERM: 'xterm-256color' };
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'make-dev-'));
  copyFileSync(join(root, 'Makefile'), join(folder, 'Makefile'));
  copyFileSync(join(root, 'nx.json'), join(folder, 'nx.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const { version } = readJson<{ version: string }>('package.json');
  write('package.json', { name: 'workspace', version, private: true, workspaces: ['apps/*'] });
  write('package-lock.json', { lockfileVersion: 3, packages: {} });
  write('.npmrc', {});
  write('apps/api/package.json', {
    name: '@workspace/api',
    nx: { name: 'api', targets: { serve: { command: PRINT } } },
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Older than the installed packages, so that make does not install. */
function write(path: string, content: object): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), JSON.stringify(content));
  utimesSync(join(folder, path), 1, 1);
}

function run(
  [program = '', ...args]: string[],
  env: Record<string, string>,
): { status: number | null; output: string } {
  const options = { cwd: folder, env: { ...SURROUNDINGS, HOME: folder, ...env }, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(program, args, options);
  return { status, output: stdout + stderr };
}

describe('make dev', () => {
  it('prints no colours into a pipe, and passes a debugger only to the API', () => {
    const { status, output } = run(['make', 'dev'], { NODE_OPTIONS: '--inspect=0 --no-warnings' });
    expect(output).toContain('["--no-warnings","--inspect=0"]');
    expect(output).not.toContain('Debugger listening');
    expect(output).not.toContain('\u001b');
    expect(status).toBe(0);
  });

  it.each([
    ['prints no colours on a terminal with NO_COLOR', { NO_COLOR: '1' }, false],
    ['prints colours on a terminal', {}, true],
  ])('%s', (_what, env: Record<string, string>, isColoured) => {
    const { output } = run(['script', '--quiet', '--return', '--command', 'make dev', '/dev/null'], env);
    expect(stripVTControlCharacters(output)).toContain('Successfully ran target serve');
    expect(output.includes('\u001b[3')).toBe(isColoured);
  });
});
