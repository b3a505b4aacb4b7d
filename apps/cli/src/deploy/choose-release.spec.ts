import { describe, expect, it } from '@jest/globals';
import { assertConfirmed, findStaged } from './promote.js';
import type { DeploymentRecord, Release } from './record.js';
import { findTarget } from './rollback.js';
import { createSettings } from './settings.js';

const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;
const settings = createSettings('staging', {});

describe('findTarget', () => {
  const releases = [create('a'), create('b'), create('c', { outcome: 'rolled-back' }), create('d')];

  it('is the release before the one that serves, not one that was rolled back', () => {
    expect(findTarget(releases, undefined, settings).record.digest).toBe(digestOf('b'));
  });

  it('is the one that was asked for, by whole digest or by its beginning', () => {
    expect(findTarget(releases, digestOf('a'), settings).record.digest).toBe(digestOf('a'));
    expect(findTarget(releases, `sha256:${'a'.repeat(12)}`, settings).record.digest).toBe(digestOf('a'));
  });

  it.each([
    ['one that never served', digestOf('c'), `staging has no release ${digestOf('c')}`],
    ['the one that serves', digestOf('d'), 'serves already'],
    ['a beginning that is too short to be sure', 'sha256:aaaa', 'staging has no release sha256:aaaa'],
  ])('refuses %s', (_what, to, message) => {
    expect(() => findTarget(releases, to, settings)).toThrow(message);
  });

  it('refuses when there was only one release', () => {
    expect(() => findTarget([create('a')], undefined, settings)).toThrow('staging has no earlier release');
  });
});

describe('findStaged', () => {
  it('is what staging serves when no digest is named', () => {
    expect(findStaged([record('a'), record('b')], undefined).digest).toBe(digestOf('b'));
  });

  it.each<[string, Partial<DeploymentRecord>, string]>([
    ['was rolled back', { outcome: 'rolled-back' }, 'its deploy ended rolled-back'],
    ['did not migrate', { migrated: false }, 'its migrations did not run'],
    ['was not smoke-tested', { smoke: 'not-run' }, 'its smoke suite is not-run'],
    ['belongs to production', { environment: 'production' }, 'staging never ran it'],
  ])('refuses a digest that %s', (_what, change, message) => {
    expect(() => findStaged([{ ...record('a'), ...change }], digestOf('a'))).toThrow(message);
  });

  it('refuses a digest whose last word is bad, though it was good once', () => {
    const records = [record('a'), { ...record('a'), smoke: 'failed', outcome: 'rolled-back' } as const];
    expect(() => findStaged(records, digestOf('a'))).toThrow('its deploy ended rolled-back, its smoke suite is failed');
  });
});

describe('assertConfirmed', () => {
  it.each(['', 'promote', 'PROMOTE ', 'yes'])('refuses %j', (typed) => {
    expect(() => assertConfirmed(typed)).toThrow(`confirmation: ${JSON.stringify(typed)}; expected PROMOTE`);
  });
});

function record(letter: string): DeploymentRecord {
  return {
    id: letter,
    action: 'deploy',
    environment: 'staging',
    stack: 'airlock-staging',
    image: `registry.example.com/airlock@${digestOf(letter)}`,
    digest: digestOf(letter),
    previousDigest: null,
    commit: null,
    actor: 'ana',
    startedAt: '2026-11-21T03:00:00.000Z',
    finishedAt: '2026-11-21T03:01:00.000Z',
    outcome: 'succeeded',
    reason: null,
    migrated: true,
    schemaHead: null,
    smoke: 'passed',
    configFingerprint: '',
    secretVersions: {},
  };
}

function create(letter: string, change: Partial<DeploymentRecord> = {}): Release {
  const deployed = { version: '3.13', services: {}, networks: {}, volumes: {}, secrets: {}, configs: {} } as const;
  return { record: { ...record(letter), ...change }, deployed, job: undefined };
}
