import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ATTACKS, type Attack } from './attacks.fixture.js';
import { LAYERS } from './layers.js';
import { startServers, World, type Servers } from './world.fixture.js';

let servers: Servers;
let shared: World;
let world: World;
const staged: World[] = [];
let counter = 0;

beforeAll(async () => {
  servers = await startServers();
  shared = await new World(servers, 'airlock_test').provision();
}, 60_000);
afterAll(async () => {
  await shared.dispose();
  await servers.stop();
});
afterEach(async () => {
  for (const each of staged.splice(0)) await each.dispose();
});

describe('resetTestDatabase', () => {
  it.each(ATTACKS.filter(({ by }) => by))('$id refuses at $by when $title', async (attack) => {
    await stage(attack);
    const report = await world.reset();
    expect(report.outcome).toBe('refused');
    const refusing = report.verdicts.filter(({ verdict }) => verdict === 'refuses').map(({ layer }) => layer);
    expect(refusing[0]).toBe(attack.by);
    expect(refusing).toEqual(expect.arrayContaining([...(attack.also ?? [])]));
    expect(await world.isKept()).toBe(true);
    expect(await world.isCanaryAlive()).toBe(true);
  });

  it.each(ATTACKS.filter(({ failure }) => failure))('$id refuses to judge when $title', async (attack) => {
    await stage(attack);
    expect(await world.reset()).toMatchObject({ outcome: 'refused', failure: expect.stringMatching(attack.failure!) });
    expect(await world.isKept()).toBe(true);
    expect(await world.isCanaryAlive()).toBe(true);
  });

  it.each(ATTACKS.filter(({ by, failure }) => !by && !failure))(
    '$id makes the database anew when $title',
    async (attack) => {
      await stage(attack);
      expect(await world.reset()).toMatchObject({ outcome: 'reset', database: world.database });
      expect(await world.isKept()).toBe(false);
      expect(await world.isCanaryAlive()).toBe(true);
    },
  );
});

describe('each layer', () => {
  it.each(LAYERS.map(({ id, title }) => ({ id, title })))(
    '$id $title is all that stands in the way of some attack',
    ({ id }) => {
      expect(ATTACKS.some(({ by, only }) => by === id && only)).toBe(true);
    },
  );

  it.each(ATTACKS.filter(({ only }) => only))('$by removed, $id gets through: $title', async (attack) => {
    await stage({ ...attack, by: undefined });
    const report = await world.reset(LAYERS.filter(({ id }) => id !== attack.by));
    expect(report).toMatchObject({ outcome: 'reset' });
    expect((await world.isKept()) && (await world.isCanaryAlive())).toBe(false);
  });
});

/** What needs no server to be refused shares one database; whatever could get through has its own. */
async function stage(attack: Pick<Attack, 'by' | 'arrange'>): Promise<void> {
  const isStatic = ['L0', 'L1', 'L2', 'L8', 'L11'].includes(attack.by ?? '');
  if (isStatic) world = new World(servers, shared.database).like(shared);
  else world = await new World(servers, `airlock_a${++counter}_test`).provision();
  staged.push(world);
  await attack.arrange?.(world);
  await world.remember();
}
