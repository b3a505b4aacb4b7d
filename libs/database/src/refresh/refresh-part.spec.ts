import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { everyType, plantPeople } from './every-type.fixture.js';
import { runAs } from '../provision/provision.fixture.js';
import { askInside, createDatabase, inside, runRefresh } from './refresh.fixture.js';
import type { ProvisionOptions } from '../provision/provision.js';

const PEOPLE = 400;
let cluster: Cluster;
let source: ProvisionOptions;
let target: ProvisionOptions;

beforeAll(async () => {
  cluster = await startScratchCluster();
  source = await createDatabase(cluster, { environment: 'production', model: everyType, sql: plantPeople(PEOPLE) });
  // Each person has a boss or none, so that one chosen person does not bring all.
  await runAs(inside(source), (client) =>
    client.query(
      'UPDATE people SET boss = CASE WHEN id % 10 = 0 THEN 1 END; UPDATE teams SET lead = NULL WHERE id > 1',
    ),
  );
  target = await createDatabase(cluster, { environment: 'staging', model: everyType });
}, 120_000);
afterAll(() => cluster.stop());

describe('a refresh of a part', () => {
  it('copies a part of the persons, their rows alone and the rows that those point at, the same ones each time', async () => {
    const chosen = `SELECT array_agg(id ORDER BY id) FROM people`;
    await runRefresh({ source, target, model: everyType, percent: 10 });
    const first = (await askInside(target, chosen)) as number[];
    expect(first.length).toBeGreaterThan(15);
    expect(first.length).toBeLessThan(80);
    // The boss of every tenth person, and the lead of a team, are pointed at.
    expect(first.map(Number)).toContain(1);
    const orders = Number(await askInside(target, 'SELECT count(*)::int FROM orders'));
    expect(orders).toBeGreaterThanOrEqual(first.length - 2);
    expect(orders).toBeLessThanOrEqual(first.length);
    expect(await askInside(target, 'SELECT count(*)::int FROM payments')).toBe(
      await askInside(target, 'SELECT count(*)::int FROM accounts'),
    );
    const notValid = `SELECT count(*)::int FROM pg_constraint WHERE NOT convalidated`;
    expect(await askInside(target, notValid)).toBe(0);
    await runRefresh({ source, target, model: everyType, percent: 10 });
    expect(await askInside(target, chosen)).toEqual(first);
    await runRefresh({ source, target, model: everyType, percent: 30 });
    expect(await askInside(target, chosen)).toEqual(expect.arrayContaining(first));
  });
});
