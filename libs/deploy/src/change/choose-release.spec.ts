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

  it('returns the successful release before the current one, not one that was rolled back', () => {
    expect(find(undefined)).toBe(digestOf('b'));
  });

  it('finds the requested release by its full digest or by a prefix', () => {
    expect(find(digestOf('a'))).toBe(digestOf('a'));
    expect(find(`sha256:${'a'.repeat(12)}`)).toBe(digestOf('a'));
  });

  it('returns the last recorded release after an interrupted deploy, whether its update was complete or not', () => {
    for (const serving of [digestOf('e'), undefined]) {
      expect(find(undefined, { serving })).toBe(digestOf('d'));
      expect(find(digestOf('d'), { serving })).toBe(digestOf('d'));
    }
  });

  it.each([
    ['a release that never served', digestOf('c'), `staging has no successful release ${digestOf('c')}`],
    ['the current release', digestOf('d'), 'already serves'],
    ['a prefix that is too short', 'sha256:aaaa', 'staging has no successful release sha256:aaaa'],
    ['a text that is not a digest', '.*', 'staging has no successful release .*'],
  ])('refuses %s', (_what, to, message) => {
    expect(() => find(to)).toThrow(message);
  });

  it('refuses when there was only one release', () => {
    expect(() => find(undefined, { serving: digestOf('a'), all: [create('a')] })).toThrow(
      'staging has no earlier successful release',
    );
  });
});

describe('findSurplus', () => {
  const failed = (count: number) =>
    Array.from({ length: count }, (_, index) => create('f', { id: `failed-${index}`, outcome: 'failed' }));
  const surplus = (releases: readonly Release[]) => findSurplus(releases).map(({ record }) => record.id);

  it('contains the oldest releases beyond fifty', () => {
    expect(surplus([...failed(60), create('a')])).toEqual(failed(11).map(({ record }) => record.id));
  });

  it('never contains the releases that a rollback needs, however many later attempts failed', () => {
    expect(surplus([create('a'), create('b'), ...failed(70)])).toEqual(failed(20).map(({ record }) => record.id));
  });
});

describe('findStaged', () => {
  it('returns the release that staging serves if no digest is given', () => {
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

  it('refuses a digest whose last deploy failed, even if an earlier one succeeded', () => {
    const records = [record('a'), { ...record('a'), smoke: 'failed', outcome: 'rolled-back' } as const];
    expect(() => findStaged(records, digestOf('a'))).toThrow('its deploy ended rolled-back, its smoke suite is failed');
  });
});

describe('assertConfirmed', () => {
  it.each(['', 'promote', 'PROMOTE ', 'yes'])('refuses %j', (typed) => {
    expect(() => assertConfirmed(typed)).toThrow(`confirmation: got ${JSON.stringify(typed)}; expected PROMOTE`);
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
