import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goodEnvironments } from '@airlock/config/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const program = fileURLToPath(new URL('../../bin/airlock.js', import.meta.url));
const PASSWORD = 'Kd82mX0qLr5vTy7w';
const SOURCE = `postgres://reader:${PASSWORD}@restored.corp.net:5432/airlock?sslmode=verify-full`;
const SERVER = 'db.staging.corp.net:5432';
const LOGINS = {
  DATABASE_MIGRATION_URL: `postgres://airlock_migrator:${PASSWORD}1@${SERVER}/airlock_staging?sslmode=verify-full`,
  DATABASE_ADMIN_URL: `postgres://admin:${PASSWORD}2@${SERVER}/postgres?sslmode=verify-full`,
};
const KEY = { REFRESH_KEY: 'pR3s9dVq71xLk0aZt8mW' };

describe('airlock db refresh', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'airlock-cli-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const run = (variables: Record<string, string>, ...flags: string[]) => {
    const env = { ...goodEnvironments.staging, ...LOGINS, ...variables };
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'db', 'refresh', ...flags], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    expect(stdout + stderr).not.toContain(PASSWORD);
    return { status, stdout, output: `${stdout}${stderr}` };
  };

  it.each<[string, Record<string, string>, string]>([
    [
      'both sources',
      { REFRESH_SOURCE_URL: SOURCE, REFRESH_BACKUP_URL: 'file:/backups', ...KEY },
      'REFRESH_SOURCE_URL: is set, and REFRESH_BACKUP_URL too',
    ],
    ['no source', KEY, 'REFRESH_BACKUP_URL: is not set'],
    ['no key', { REFRESH_BACKUP_URL: 'file:/backups' }, 'REFRESH_KEY: is not set'],
  ])('exits with 78 for %s', (_, variables, problem) => {
    expect(run(variables)).toMatchObject({ status: 78, output: expect.stringContaining(problem) });
  });

  it('refuses a storage that has not the stamp of backups of production, by name and for scripts', () => {
    const variables = { REFRESH_BACKUP_URL: `file:${folder}`, ...KEY };
    const { status, stdout, output } = run(variables, '--json');
    expect([status, stdout.trim(), readdirSync(folder)]).toEqual([3, '{"problem":"other-environment"}', []]);
    expect(output).toContain('has no stamp; expected the stamp production\n  set REFRESH_BACKUP_URL to the BACKUP_URL');
  });

  it('refuses a storage without a backup', () => {
    writeFileSync(join(folder, 'airlock-backups.json'), '{"environment":"production"}');
    const { status, output } = run({ REFRESH_BACKUP_URL: `file:${folder}`, ...KEY });
    expect([status, output]).toEqual([3, expect.stringContaining('no-backup: ')]);
  });
});
