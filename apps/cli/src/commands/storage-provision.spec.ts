import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { goodEnvironments } from '@airlock/config/testing';

const program = fileURLToPath(new URL('../../bin/airlock.js', import.meta.url));
let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'airlock-cli-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function provision(environment: keyof typeof goodEnvironments, STORAGE_URL?: string) {
  const env = { ...goodEnvironments[environment], ...(STORAGE_URL !== undefined && { STORAGE_URL }) };
  const options = { cwd: folder, env, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'storage', 'provision'], options);
  return { status, output: `${stdout}${stderr}`.trim() };
}

describe('airlock storage provision', () => {
  it('stamps an empty folder once, and refuses another environment', () => {
    const place = `the folder ${join(folder, 'files')}`;
    expect(provision('development', 'file:./files')).toEqual({ status: 0, output: `${place}: stamped development` });
    expect(provision('development', 'file:./files')).toEqual({
      status: 0,
      output: `${place}: has the stamp development`,
    });
    expect(readFileSync(join(folder, 'files/airlock-environment.json'), 'utf8')).toBe(
      '{"environment":"development"}\n',
    );
    const refused = provision('preview', 'file:./files');
    expect(refused.status).toBe(3);
    expect(refused.output).toContain('is stamped development; expected the stamp preview');
  });

  it('refuses a folder that holds other files', () => {
    writeFileSync(join(folder, 'mine.txt'), '');
    const { status, output } = provision('testing', `file:${folder}`);
    expect({ status, output }).toEqual({ status: 3, output: expect.stringContaining('holds objects and no stamp') });
  });

  it('says that a bucket is unavailable, without its key', () => {
    const { status, output } = provision('preview', 's3+http://key:Kd82mX0qLr5vTy7w@127.0.0.1:1/files');
    expect({ status, output }).toEqual({ status: 1, output: expect.stringContaining('fails with ECONNREFUSED') });
    expect(output).not.toContain('Kd82mX0qLr5vTy7w');
  });

  it.each([
    ['no storage', undefined, 'STORAGE_URL: is not set'],
    ['a folder', 'file:./files', 'STORAGE_URL: names a folder in production'],
  ])('exits with 78 in production for %s', (_, url, problem) => {
    const { status, output } = provision('production', url);
    expect({ status, output }).toEqual({ status: 78, output: expect.stringContaining(problem) });
  });
});
