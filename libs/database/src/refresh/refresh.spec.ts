import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findDrift } from '../drift/drift.js';
import { assertIdentity } from '../identity/assert-identity.js';
import { migrate } from '../migrate/migrate.js';
import { ask, runAs } from '../provision/provision.fixture.js';
import type { ProvisionOptions } from '../provision/provision.js';
import { sampleModelWithJobs } from '../sample/sample-with-jobs.js';
import { everyType, plantPeople } from './every-type.fixture.js';
import { askInside, createConfig, createDatabase, dump, inside, listDatabases, runRefresh } from './refresh.fixture.js';

const PEOPLE = 40;
let cluster: Cluster;
let source: ProvisionOptions;
let target: ProvisionOptions;

beforeAll(async () => {
  cluster = await startScratchCluster();
  source = await createDatabase(cluster, { environment: 'production', model: everyType, sql: plantPeople(PEOPLE) });
  target = await createDatabase(cluster, {
    environment: 'staging',
    model: everyType,
    sql: `INSERT INTO teams VALUES (7, 'of staging')`,
  });
  await runRefresh({ source, target, model: everyType });
}, 120_000);
afterAll(() => cluster.stop());

describe('refresh', () => {
  it('fills the target with the rows of the source, and none of its personal values', async () => {
    expect(await askInside(target, 'SELECT count(*)::int FROM people')).toBe(PEOPLE);
    expect(await askInside(target, `SELECT string_agg(title, ',' ORDER BY id) FROM teams`)).toBe(
      'Team 1,Team 2,Team 3',
    );
    expect((await dump(target)).match(/.{30}canary.{30}|real-mail|\+4915/i)).toBeNull();
  });
});
