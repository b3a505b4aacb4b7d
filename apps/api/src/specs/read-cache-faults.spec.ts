import { setTimeout as sleep } from 'node:timers/promises';
import { readProcessEnvironment } from '@airlock/config';
import { useTestDatabase } from '@airlock/database-dev/testing';
import { createRandom, describeWithOwnRedis, type Random } from '@airlock/service/testing';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { CacheWorld, type Replica } from '../testing/cache-world.fixture.js';
import { GONE, RowHistory, type Seen } from '../testing/row-history.fixture.js';

jest.setTimeout(180_000);

const CLIENTS = 6;
const ROWS = 12;
const MIN_OPERATIONS = 2_000;
const MAX_CONTROL_OPERATIONS = 20_000;
/** An open cache has rows after this time. */
const CALM_MS = 500;

// A seed always gives the same operations and faults in the same order. Their interleaving depends on the machine.
const seed = Number(readProcessEnvironment()['CACHE_SEED'] ?? Date.now() % 1_000_000);

describeWithOwnRedis('the read cache of two processes', () => {
  const database = useTestDatabase({ isolation: 'delete' });
  let world: CacheWorld;
  beforeAll(async () => {
    world = await CacheWorld.open(database.config);
  });
  afterAll(() => world.close());

  const isOpen = async () => {
    const [cache] = await database.query<{ isOpen: boolean }>('SELECT is_open AS "isOpen" FROM ops.read_cache');
    return cache?.isOpen;
  };

  it('never returns an older row than before, while Redis and processes fail', async () => {
    const history = new RowHistory();
    const stop = drive(world, history, { seed });
    for (const fault of createRandom(seed).shuffle(Object.keys(faults) as (keyof typeof faults)[])) {
      while (!(await isOpen())) await sleep(50);
      await sleep(CALM_MS);
      await faults[fault](world, createRandom(seed));
    }
    while (history.size <= MIN_OPERATIONS) await sleep(50);
    await stop();
    expect({ seed, stale: history.findStale() }).toEqual({ seed, stale: [] });
  });

  it('returns stale rows, which the same check finds, if a writer bypasses it', async () => {
    const history = new RowHistory();
    let turn: Promise<Seen | undefined> = Promise.resolve(undefined);
    const stop = drive(world, history, {
      seed,
      changeSilently: (id, name) => {
        const text = 'UPDATE entities SET name = $2, version = version + 1 WHERE id = $1 RETURNING name, version';
        // The session runs one statement at a time.
        turn = turn.then(async () => (await database.query<Seen>(text, [id, name]))[0]);
        return turn;
      },
    });
    while (history.findStale().length === 0 && history.size < MAX_CONTROL_OPERATIONS) await sleep(50);
    await stop();
    expect(history.findStale().length).toBeGreaterThan(0);
  });
});

interface DriveOptions {
  readonly seed: number;
  /** Changes a row without informing the cache. */
  readonly changeSilently?: (id: string, name: string) => Promise<Seen | undefined>;
}

/** Clients that read, change and delete shared rows through either process until they are stopped. */
function drive(world: CacheWorld, history: RowHistory, { seed, changeSilently }: DriveOptions): () => Promise<void> {
  let isRunning = true;
  const rows: string[] = [];
  const run = async (client: number) => {
    const random = createRandom(seed + client);
    for (let count = 0; isRunning; count += 1) {
      const replica = random.pick(world.replicas);
      const by = `client ${client} at ${world.replicas.indexOf(replica)}`;
      const slot = random.below(ROWS);
      const id = rows[slot] ?? '';
      const dice = random.below(100);
      const name = `${client}.${count}`;
      if (id === '' || dice < 2) {
        if (id !== '') await history.observe(id, `${by} (delete)`, () => remove(world, replica, id));
        const created = await create(world, replica, name);
        if (created) rows[slot] = created;
      } else if (dice < 20) {
        const change = changeSilently ?? ((row: string, text: string) => update(world, replica, row, text));
        await history.observe(id, `${by} (change)`, () => change(id, name));
      } else {
        await history.observe(id, by, () => read(world, replica, dice < 40 ? id.toUpperCase() : id));
      }
      await sleep(random.below(10));
    }
  };
  const clients = Promise.all(Array.from({ length: CLIENTS }, (_, client) => run(client)));
  return async () => {
    isRunning = false;
    await clients;
  };
}

async function create(world: CacheWorld, replica: Replica, name: string): Promise<string | undefined> {
  const response = await world.ask(replica, '', { method: 'POST', body: JSON.stringify({ name }) });
  return response?.status === 201 ? ((await response.json()) as { id: string }).id : undefined;
}

async function read(world: CacheWorld, replica: Replica, id: string): Promise<Seen | undefined> {
  return parse(await world.ask(replica, `/${id}`));
}

async function update(world: CacheWorld, replica: Replica, id: string, name: string): Promise<Seen | undefined> {
  return parse(await world.ask(replica, `/${id}`, { method: 'PATCH', body: JSON.stringify({ name }) }));
}

async function remove(world: CacheWorld, replica: Replica, id: string): Promise<Seen | undefined> {
  return parse(await world.ask(replica, `/${id}`, { method: 'DELETE' }));
}

async function parse(response: Response | undefined): Promise<Seen | undefined> {
  if (response?.status === 404 || response?.status === 204) return GONE;
  const row = (await response?.json().catch(() => undefined)) as Seen | undefined;
  return response?.status === 200 && row ? { version: row.version, name: row.name } : undefined;
}

type Fault = (world: CacheWorld, random: Random) => Promise<void>;

const faults = {
  'Redis stands still': async ({ primary }, random) => {
    primary.signal('SIGSTOP');
    await sleep(200 + random.below(800));
    primary.signal('SIGCONT');
  },
  'Redis pauses its clients': async (world, random) => {
    await world.command(world.primary, 'CLIENT', 'PAUSE', String(300 + random.below(700)), 'ALL');
  },
  'one process loses Redis, and what it sent arrives late': async (world, random) => {
    const { proxy } = random.pick(world.replicas);
    proxy.pause();
    await sleep(500 + random.below(1_500));
    proxy.resume();
  },
  'the other process loses its connection silently': async (world) => {
    world.replica(1).proxy.silence();
    await sleep(500);
  },
  'Redis is killed and comes back empty': async ({ primary }, random) => {
    await primary.kill();
    await sleep(random.below(1_000));
    await primary.start();
  },
  'Redis is killed and comes back with old rows': async (world) => {
    await world.command(world.primary, 'SAVE');
    await sleep(300);
    await world.primary.kill();
    await world.primary.start();
  },
  'one process fails over to a Redis that lags, and later the other': async (world, random) => {
    await world.copyToStandby();
    await sleep(300);
    const [first, second] = random.shuffle(world.replicas);
    first?.proxy.redirect(world.standby.address);
    await sleep(random.below(3_000));
    second?.proxy.redirect(world.standby.address);
    [world.primary, world.standby] = [world.standby, world.primary];
  },
  'a process stands still': async (world, random) => {
    const { api } = random.pick(world.replicas);
    api.signal('SIGSTOP');
    await sleep(300 + random.below(1_500));
    api.signal('SIGCONT');
  },
  'a process is killed': async (world, random) => {
    await world.restart(random.pick(world.replicas));
  },
} as const satisfies Record<string, Fault>;
