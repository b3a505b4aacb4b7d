import { describe, expect, it } from '@jest/globals';
import { Secret } from '@airlock/config';
import { identity } from './l4-identity.js';
import { formatSeal } from './minted-names.js';
import type { ServerFacts } from './server-facts.js';

const server = { systemIdentifier: '7', startedAt: 'noon', isInRecovery: false };
const database = 'airlock_test';
const right: ServerFacts = {
  address: { host: '127.0.0.1', port: 5433, user: 'm', password: new Secret('x'), database, sslMode: 'disable' },
  acting: {
    ...server,
    pid: 1,
    roles: [],
    holdings: [],
    settings: [],
    mayBecomeOwner: true,
    databases: [
      {
        oid: 9,
        name: database,
        owner: 'o',
        tablespace: 'pg_default',
        hasLoginTrigger: false,
        isTemplate: false,
        allowsConnections: true,
        mayConnect: true,
        seal: formatSeal('7', 9),
      },
    ],
    sessions: [{ pid: 2, databaseOid: 9, applicationName: 'look', user: 'm' }],
    preparedTransactions: 0,
    slots: [],
  },
  inside: {
    ...server,
    pid: 2,
    applicationName: 'look',
    databaseOid: 9,
    databaseName: database,
    stamps: [{ environment: 'testing', system_identifier: '7', database_oid: '9', database_name: database }],
    stampFlaws: [],
    objects: [],
    strayStamps: [],
    subscriptions: [],
    foreignAccess: [],
    protections: [],
    sizeBytes: 0,
    rows: 0,
  },
  known: { provisioned: {}, bookkeeping: [], migrated: [] },
  record: { environment: 'testing', database, host: '127.0.0.1', port: 5433, systemIdentifier: '7' },
  journal: undefined,
};

describe('L4 identity', () => {
  it('holds for the database that was provisioned', () => {
    expect(identity.judge(right).problems).toEqual([]);
  });

  it.each([
    ['A47: a replica', { acting: { ...right.acting, isInRecovery: true } }, 'the server is a replica'],
    [
      'A47: a replica behind a balancer',
      { inside: { ...right.inside, isInRecovery: true } },
      'the server is a replica',
    ],
    [
      'A46: another server in the same port',
      { inside: { ...right.inside, startedAt: 'one' } },
      'do not reach the same server',
    ],
    [
      'A49: an alias of a pooler',
      { inside: { ...right.inside, databaseName: 'airlock' } },
      'reports the database name "airlock"',
    ],
    [
      'A50: a session that the acting one cannot see',
      { acting: { ...right.acting, sessions: [] } },
      'do not reach the same server',
    ],
    ['A28: no record', { record: undefined }, 'no record of provisioning'],
    ['A33: no stamp', { inside: { ...right.inside, stamps: null } }, 'has no stamp'],
  ])('refuses %s', (_case, change, words) => {
    expect(
      identity
        .judge({ ...right, ...change })
        .problems.map(({ problem }) => problem)
        .join(),
    ).toContain(words);
  });
});
