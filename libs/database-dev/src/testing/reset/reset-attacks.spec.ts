import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ATTACKS, type Attack } from './attacks.fixture.js';
import { LAYERS } from './layers.js';
import { startServers, World, type Servers } from './world.fixture.js';

let servers: Servers;
let shared: World;
let world: World;
/** Provisioned for attacks that reach the server. After an attack that changes it, it is provisioned again. */
let attacked: World | undefined;
const staged: { world: World; base: World }[] = [];
let counter = 0;

beforeAll(async () => {
  servers = await startServers();
  shared = await new World(servers, 'airlock_test').provision();
}, 60_000);
afterAll(async () => {
  await attacked?.dispose();
  await shared.dispose();
  await servers.stop();
});
afterEach(async () => {
  for (const { world, base } of staged.splice(0)) {
    await world.dispose();
    base.extendReach(world.reach);
  }
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

  it.each(ATTACKS.filter(({ failure }) => failure))('$id stops before the checks when $title', async (attack) => {
    await stage(attack);
    expect(await world.reset()).toMatchObject({ outcome: 'refused', failure: expect.stringMatching(attack.failure!) });
    expect(await world.isKept()).toBe(true);
    expect(await world.isCanaryAlive()).toBe(true);
  });

  it.each(ATTACKS.filter(({ by, failure }) => !by && !failure))(
    '$id recreates the database when $title',
    async (attack) => {
      await stage(attack);
      expect(await world.reset()).toMatchObject({ outcome: 'reset', database: world.database });
      expect(await world.isKept()).toBe(false);
      expect(await world.isCanaryAlive()).toBe(true);
    },
  );
});

describe('each layer', () => {
  it.each(LAYERS.map(({ id, title }) => ({ id, title })))('$id $title alone prevents some attack', ({ id }) => {
    expect(ATTACKS.some(({ by, only }) => by === id && only)).toBe(true);
  });

  it.each(ATTACKS.filter(({ only }) => only))('$by removed, $id succeeds: $title', async (attack) => {
    await stage({ ...attack, by: undefined });
    const report = await world.reset(LAYERS.filter(({ id }) => id !== attack.by));
    expect(report).toMatchObject({ outcome: 'reset' });
    expect((await world.isKept()) && (await world.isCanaryAlive())).toBe(false);
  });
});

/**
 * Attacks that are refused without a server share one database. Attacks that could succeed each get a newly provisioned
 * one.
 */
async function stage(attack: Pick<Attack, 'by' | 'arrange'>): Promise<void> {
  const isStatic = ['L0', 'L1', 'L2', 'L8', 'L11'].includes(attack.by ?? '');
  const base = isStatic ? shared : await provideDatabase();
  world = new World(servers, base.database).like(base);
  staged.push({ world, base });
  await attack.arrange?.(world);
  await world.remember();
}

async function provideDatabase(): Promise<World> {
  if (attacked?.reach === 'database') await attacked.provisionAgain();
  if (attacked?.reach === 'server') {
    await attacked.dispose();
    attacked = undefined;
  }
  attacked ??= await new World(servers, `airlock_a${++counter}_test`).provision();
  return attacked;
}
