import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goodEnvironments } from '@airlock/config/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const program = fileURLToPath(new URL('../../bin/airlock.js', import.meta.url));
const ADMIN = 'postgres://postgres:Kd82mX0qLr5vTy7w@127.0.0.1:1/postgres';
let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'airlock-cli-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(
  words: readonly string[],
  variables: Record<string, string> = {},
  environment: keyof typeof goodEnvironments = 'testing',
) {
  const env = { ...goodEnvironments[environment], ...variables };
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'db', ...words], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  return { status, stdout, output: `${stdout}${stderr}` };
}

describe('airlock db backup', () => {
  it.each([
    ['without a storage', ['backup'], {}, 'BACKUP_URL: is not set'],
    [
      'of an administrator who is not named',
      ['restore-drill'],
      { BACKUP_URL: 'file:./backups' },
      'DATABASE_ADMIN_URL: is not set',
    ],
    ['on a schedule, without a storage', ['backup', '--every', '24h'], {}, 'BACKUP_URL: is not set'],
    [
      'among the files of users',
      ['backups'],
      { BACKUP_URL: 's3+http://key:Kd82mX0qLr5vTy7w@127.0.0.1:1/backups' },
      'BACKUP_URL: names a bucket, which tests must not touch',
    ],
  ])('exits with 78 %s', (_, words, variables, problem) => {
    const { status, output } = run(words, variables);
    expect({ status, output }).toEqual({ status: 78, output: expect.stringContaining(problem) });
    expect(output).not.toContain('Kd82mX0qLr5vTy7w');
  });

  it.each([
    ['a restore without a name for the new database', ['restore', 'latest'], "required option '--as <database>'"],
    ['a schedule in seconds', ['backup', '--every', '5s'], 'Expected minutes or hours'],
    ['no backups to keep', ['backup', '--keep', '0'], 'Expected a number from 1 to 9999'],
  ])('exits with 2 for %s', (_, words, problem) => {
    expect(run(words)).toMatchObject({ status: 2, output: expect.stringContaining(problem) });
  });

  it('names a backup that does not exist, also for scripts', () => {
    const variables = { BACKUP_URL: 'file:./backups', DATABASE_ADMIN_URL: ADMIN };
    const { status, stdout, output } = run(['restore', 'latest', '--as', 'other_test', '--json'], variables);
    expect([status, stdout.trim()]).toEqual([3, '{"problem":"no-backup"}']);
    expect(output).toContain('has no backup; expected at least one');
    expect(run(['backups'], variables).output).toContain('no backups');
  });
});
