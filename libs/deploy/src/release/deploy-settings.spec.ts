import { describe, expect, it } from '@jest/globals';
import { createSettings, lockDeadlineMs } from './deploy-settings.js';

describe('createSettings', () => {
  it.each([
    ['.*', 'a pattern would match the stacks of others'],
    ['../airlock', 'a path'],
    ['airlock staging', 'two words'],
    ['airlock-staging; reboot', 'a command'],
    ['$(reboot)', 'a substitution'],
    ['--force', 'an option of Docker'],
    ['airlock-', 'an end that would hide the beginning of what follows'],
    ['Airlock', 'upper case'],
    ['', 'nothing'],
    ['a'.repeat(36), 'more than the longest name leaves room for'],
  ])('refuses the stack %j: %s', (stack) => {
    expect(() => createSettings('staging', { stack })).toThrow(
      `--stack: ${JSON.stringify(stack)} is no name of a stack; expected at most 35 of a-z, 0-9 and single hyphens`,
    );
  });

  it.each([
    'api.example.com',
    'ftp://api.example.com',
    'javascript:alert(1)',
    'https://ana:hunter2@api.example.com',
    '',
  ])('refuses the address %j before anything is changed, and repeats no password', (url) => {
    const refuse = () => createSettings('staging', { url });
    expect(refuse).toThrow('is no address; expected http(s) without a user');
    expect(refuse).not.toThrow('hunter2');
  });

  it.each(['', 'ana\nben', '\u001b[2Jana', 'a'.repeat(101)])('refuses the actor %j', (actor) => {
    expect(() => createSettings('staging', { actor })).toThrow('is no name; expected at most 100 printable characters');
  });

  it.each(['ana', 'dependabot[bot]', 'Ana Müller', 'root@host.example.com'])('takes the actor %j', (actor) => {
    expect(createSettings('staging', { actor }).actor).toBe(actor);
  });

  it.each([
    ['wait', '10'],
    ['wait', '-1s'],
    ['timeout', '1e3s'],
    ['migrateTimeout', 'soon'],
  ])('refuses the %s %j', (name, value) => {
    expect(() => createSettings('staging', { [name]: value })).toThrow('is no duration; expected one such as 30s');
  });

  it.each([
    ['preview', 'is not deployed to a swarm', 'use: airlock preview --help'],
    ['prod', 'is not an environment', 'write staging or production in place of "prod"'],
  ])('refuses to deploy to %s', (environment, problem, mend) => {
    expect(() => createSettings(environment, {})).toThrow(problem);
    expect(() => createSettings(environment, {})).toThrow(mend);
  });
});

describe('lockDeadlineMs', () => {
  it('is later than the end of every phase to its own limit, so that nobody at work is called gone', () => {
    const settings = createSettings('staging', { timeout: '10m', migrateTimeout: '15m' });
    const [foundation, update, wayBackOfSwarm, wayBack] = Array.from({ length: 4 }, () => settings.timeoutMs);
    const questions = 2 * 120_000;
    const rehearsal = 90_000 + 60_000;
    const replicas = 20_000 + 60_000;
    const phases = [
      foundation,
      update,
      wayBackOfSwarm,
      wayBack,
      settings.migrateTimeoutMs,
      questions,
      rehearsal,
      replicas,
    ];
    expect(lockDeadlineMs(settings)).toBeGreaterThan(phases.reduce((sum = 0, one = 0) => sum + one, 0) ?? 0);
  });
});
