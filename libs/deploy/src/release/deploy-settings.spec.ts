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
    ['airlock-', 'a trailing hyphen, which makes the names after it ambiguous'],
    ['Airlock', 'upper case'],
    ['', 'nothing'],
    ['a'.repeat(36), 'longer than the longest allowed name'],
  ])('refuses the stack %j: %s', (stack) => {
    expect(() => createSettings('staging', { stack })).toThrow(
      `--stack: ${JSON.stringify(stack)} is not a valid stack name; expected at most 35 characters of a-z, 0-9 and single hyphens`,
    );
  });

  it.each([
    'api.example.com',
    'ftp://api.example.com',
    'javascript:alert(1)',
    'https://ana:hunter2@api.example.com',
    '',
  ])('refuses the address %j before anything is changed, and does not print its password', (url) => {
    const refuse = () => createSettings('staging', { url });
    expect(refuse).toThrow('is not a valid address; expected an http or https URL without user and password');
    expect(refuse).not.toThrow('hunter2');
  });

  it.each(['', 'ana\nben', '\u001b[2Jana', 'a'.repeat(101)])('refuses the actor %j', (actor) => {
    expect(() => createSettings('staging', { actor })).toThrow(
      'is not a valid name; expected 1 to 100 printable characters',
    );
  });

  it.each(['ana', 'dependabot[bot]', 'Ana Müller', 'root@host.example.com'])('accepts the actor %j', (actor) => {
    expect(createSettings('staging', { actor }).actor).toBe(actor);
  });

  it.each([
    ['wait', '10'],
    ['wait', '-1s'],
    ['timeout', '1e3s'],
    ['migrateTimeout', 'soon'],
    ['soak', '-5s'],
  ])('refuses the %s %j', (name, value) => {
    expect(() => createSettings('staging', { [name]: value })).toThrow('is not a duration; expected one such as 30s');
  });

  it.each([
    [{ soak: '10m' }, '"10m" is not shorter than --timeout, 600 s'],
    [{ soak: '8s', timeout: '8s' }, '"8s" is not shorter than --timeout, 8 s'],
  ])('refuses %j, with which no canary could pass', (options, problem) => {
    expect(() => createSettings('staging', options)).toThrow(problem);
  });

  it('keeps a canary for 8 s, for half of a shorter time limit, or as long as it is told to', () => {
    expect(createSettings('staging', {}).soakMs).toBe(8_000);
    expect(createSettings('staging', { timeout: '10s' }).soakMs).toBe(5_000);
    expect(createSettings('production', { soak: '2m' }).soakMs).toBe(120_000);
  });

  it.each([
    ['preview', 'is not deployed to a swarm', 'use: airlock preview --help'],
    ['prod', 'is not an environment', 'use staging or production instead of "prod"'],
  ])('refuses to deploy to %s', (environment, problem, fix) => {
    expect(() => createSettings(environment, {})).toThrow(problem);
    expect(() => createSettings(environment, {})).toThrow(fix);
  });
});

describe('lockDeadlineMs', () => {
  it('is longer than all phases at their limits together, so that the lock of a running deploy is never stale', () => {
    const settings = createSettings('staging', { timeout: '10m', migrateTimeout: '15m', soak: '9m' });
    const [foundation, update, wayBackOfSwarm, wayBack] = Array.from({ length: 4 }, () => settings.timeoutMs);
    const questions = 2 * 120_000;
    const canary = 80_000 + settings.soakMs + 60_000;
    const replicas = 20_000 + 60_000;
    const phases = [
      foundation,
      update,
      wayBackOfSwarm,
      wayBack,
      settings.migrateTimeoutMs,
      questions,
      canary,
      replicas,
    ];
    expect(lockDeadlineMs(settings)).toBeGreaterThan(phases.reduce((sum = 0, one = 0) => sum + one, 0) ?? 0);
  });
});
