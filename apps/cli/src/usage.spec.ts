import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const program = fileURLToPath(new URL('../bin/airlock.js', import.meta.url));
const IMAGE = `registry.example.com/airlock@sha256:${'a'.repeat(64)}`;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'airlock-usage-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Without a Docker engine: all these commands must fail before they need one. */
function run(...words: string[]) {
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: folder, DOCKER_HOST: 'tcp://127.0.0.1:1' };
  return spawnSync(process.execPath, [program, ...words], { cwd: folder, env, encoding: 'utf8', input: '' });
}

describe('airlock', () => {
  it.each([
    ['a missing argument', ['deploy', 'staging'], "missing required argument 'image'"],
    ['an extra argument', ['status', 'staging', 'production'], 'too many arguments'],
    ['an unknown option', ['rollback', 'staging', '--force'], "unknown option '--force'"],
    ['an unknown command', ['deploi'], "unknown command 'deploi'"],
    ['two ways to adopt', ['db', 'adopt', '--write', '--apply', 'x'], "option '--write' cannot be used with option"],
    ['two kinds of protection', ['new', 'protection', 'x', '--owner', 'y', '--shared'], 'cannot be used with option'],
    ['no kind of protection', ['new', 'protection', 'x'], 'expected --owner, --through, --shared or --system'],
    ['a missing subcommand', ['preview'], 'Usage: airlock preview'],
    ['an unknown environment', ['deploy', 'prod', IMAGE], 'ENV: "prod" is not an environment'],
    ['the status of an unknown environment', ['status', 'foo'], 'use staging or production instead of "foo"'],
    ['an environment that is not deployed', ['rollback', 'testing'], 'ENV: "testing" is not deployed to a swarm'],
    [
      'an image by tag',
      ['deploy', 'staging', 'registry.example.com/airlock:latest'],
      'does not name an image by digest',
    ],
    [
      'a hostile digest',
      ['deploy', 'staging', 'registry.example.com/airlock@sha256:$(id)'],
      'does not name an image by digest',
    ],
    ['a hostile stack', ['status', 'staging', '--stack', '.*'], '--stack: ".*" is not a valid stack name'],
    [
      'a hostile source',
      ['promote', 'staging', 'production', '--from-stack', '../x'],
      '--from-stack: "../x" is not a valid stack name',
    ],
    [
      'a hostile prefix',
      ['preview', 'reap', '--prefix', 'a b'],
      '--prefix: "a b" is not a valid prefix of a project name',
    ],
    ['another direction', ['promote', 'production', 'staging'], 'expected from staging to production'],
    ['a text instead of a number', ['preview', 'down', '42;id'], 'N: "42;id" is not the number of a pull request'],
    ['a secret without a value', ['secret', 'put', 'staging', 'secret_key'], 'secret_key is empty'],
    ['a secret with a wrong name', ['secret', 'put', 'staging', '../x'], 'secret: the name "../x" is not valid'],
  ])('exits with 2 on %s', (_what, words, problem) => {
    const { status, stderr } = run(...words);
    expect(stderr).toContain(problem);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(status).toBe(2);
  });

  it.each([['--help'], ['deploy', '--help']])('exits with 0 after %s', (...words) => {
    expect(run(...words).status).toBe(0);
  });

  it.each([
    ['a journal that cannot be written', ['deploy', 'staging', IMAGE, '--journal', '/proc/airlock/deployments.jsonl']],
    ['a promotion without confirmation', ['promote', 'staging', 'production']],
    [
      'a history that is not a journal',
      ['promote', 'staging', 'production', '--confirm', 'PROMOTE', '--record', program],
    ],
    ['an unreachable engine', ['status', 'staging']],
    ['an unreachable engine', ['deploy', 'staging', IMAGE]],
    ['a missing overlay', ['deploy', 'staging', IMAGE, '--render']],
    ['an unreachable engine', ['rollback', 'staging']],
    ['an unreachable engine', ['preview', 'list']],
    ['an unreachable engine', ['preview', 'reap']],
    ['an unreachable engine', ['secret', 'list', 'staging']],
  ])('exits with 3 and a message on %s: %j', (_what, words) => {
    const { status, stderr } = run(...words);
    expect(stderr).toMatch(/(?:expected|Cannot connect|cannot start).*\n {2}\S/);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(status).toBe(3);
  });

  it.each([
    ['deploy', ['deploy', 'prod', IMAGE]],
    ['promote', ['promote', 'staging', 'production', '--confirm', 'no']],
    ['rollback', ['rollback', 'prod']],
    ['status', ['status', 'prod']],
    ['preview up', ['preview', 'up', 'x', IMAGE]],
    ['preview reap', ['preview', 'reap', '--prefix', 'A']],
    ['secret list', ['secret', 'list', 'prod']],
  ])('%s --json prints the reason as JSON on stdout and as text on stderr', (_what, words) => {
    const { status, stdout, stderr } = run(...words, '--json');
    const answer = JSON.parse(stdout) as { reason: string };
    expect(answer).toMatchObject({ ok: false, exitCode: status });
    expect(stderr).toContain(answer.reason);
  });
});
