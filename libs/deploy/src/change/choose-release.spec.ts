import { describe, expect, it } from '@jest/globals';
import { assertConfirmed, findStaged } from './promote-image.js';
import { findSurplus, type DeploymentRecord, type Release } from '../release/release-record.js';
import { findTarget } from './roll-back.js';

const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;

describe('findTarget', () => {
  const releases = [create('a'), create('b'), create('c', { outcome: 'rolled-back' }), create('d')];
  const find = (to: string | undefined, now: { serving?: string | undefined; all?: Release[] } = {}) => {
    const { serving, all } = { serving: digestOf('d'), all: releases, ...now };
    return findTarget(all, { to, serving, environment: 'staging' }).record.digest;
  };

  it('is the release before the one that serves, not one that was rolled back', () => {
    expect(find(undefined)).toBe(digestOf('b'));
  });

  it('is the one that was asked for, by whole digest or by its beginning', () => {
    expect(find(digestOf('a'))).toBe(digestOf('a'));
    expect(find(`sha256:${'a'.repeat(12)}`)).toBe(digestOf('a'));
  });

  it('is the last that was recorded where a deploy was cut off, whether it came to the end of its update or not', () => {
    for (const serving of [digestOf('e'), undefined]) {
      expect(find(undefined, { serving })).toBe(digestOf('d'));
      expect(find(digestOf('d'), { serving })).toBe(digestOf('d'));
    }
  });

  it.each([
    ['one that never served', digestOf('c'), `staging has no release ${digestOf('c')}`],
    ['the one that serves', digestOf('d'), 'serves already'],
    ['a beginning that is too short to be sure', 'sha256:aaaa', 'staging has no release sha256:aaaa'],
    ['what is no digest', '.*', 'staging has no release .*'],
  ])('refuses %s', (_what, to, message) => {
    expect(() => find(to)).toThrow(message);
  });

  it('refuses when there was only one release', () => {
    expect(() => find(undefined, { serving: digestOf('a'), all: [create('a')] })).toThrow(
      'staging has no earlier release',
    );
  });
});

describe('findSurplus', () => {
  const failed = (count: number) =>
    Array.from({ length: count }, (_, index) => create('f', { id: `failed-${index}`, outcome: 'failed' }));
  const surplus = (releases: readonly Release[]) => findSurplus(releases).map(({ record }) => record.id);

  it('lets go of the oldest beyond fifty', () => {
    expect(surplus([...failed(60), create('a')])).toEqual(failed(11).map(({ record }) => record.id));
  });

  it('keeps what a rollback needs, however many attempts failed since', () => {
    expect(surplus([create('a'), create('b'), ...failed(70)])).toEqual(failed(20).map(({ record }) => record.id));
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
