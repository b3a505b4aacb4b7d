import { useTestDatabase } from '@airlock/database-dev/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { discardDeadLetters, listJobs, retryDeadLetters } from './dead-letters.js';
import { job } from './job.js';
import { JobsWorld } from './jobs-world.fixture.js';

describe('dead letters', () => {
  const test = useTestDatabase({ isolation: 'delete' });
  const target = () => ({ config: test.config, expected: 'testing' as const });
  let isBroken = true;
  const fragile = job({
    name: 'fragile',
    data: z.strictObject({ n: z.int() }),
    retries: 0,
    run: () => (isBroken ? Promise.reject(new Error('broken')) : Promise.resolve()),
  });
  let world: JobsWorld;
  beforeAll(async () => void (world = await JobsWorld.open(test, [fragile])));
  afterAll(() => world.close());
  beforeEach(async () => {
    isBroken = true;
    // One after the other: of several that run at once, any may be the first to end.
    for (const n of [1, 2, 3]) {
      await world.database.asUser('user_1', (tx) => world.jobs.send(tx, fragile, { n }, { key: `k${n}` }));
      await world.runner.runReady();
    }
    await world.database.asUser('user_1', (tx) => world.jobs.send(tx, fragile, { n: 4 }));
  });
  const ids = async () => (await listJobs(target())).deadLetters.map(({ id }) => id);

  it('are listed with their reasons, beside the jobs that have not ended', async () => {
    const { queues, deadLetters } = await listJobs(target());
    expect(queues).toEqual([{ job: 'fragile', ready: 1, waiting: 0, running: 0, oldest: expect.any(Date) }]);
    expect(deadLetters.map(({ job: name, key, attempts, reason }) => [name, key, attempts, reason?.['type']])).toEqual([
      ['fragile', 'k1', 1, 'Error'],
      ['fragile', 'k2', 1, 'Error'],
      ['fragile', 'k3', 1, 'Error'],
    ]);
  });

  it('run again when they are retried, and may become dead letters again', async () => {
    const [first = '', second = ''] = await ids();
    expect(await retryDeadLetters(target(), [first, second])).toBe(2);
    await world.runner.runReady();
    expect(await ids()).toHaveLength(4);
    isBroken = false;
    expect(await retryDeadLetters(target(), await ids())).toBe(4);
    await world.runner.runReady();
    expect(await listJobs(target())).toEqual({ queues: [], deadLetters: [] });
  });

  it('are gone when they are discarded', async () => {
    const [first = '', ...others] = await ids();
    expect(await discardDeadLetters(target(), [first])).toBe(1);
    expect(await ids()).toEqual(others);
  });

  it.each([
    ['an id that does not exist', '00000000-0000-4000-8000-000000000000'],
    ['a text', "x' OR true --"],
  ])('stay as they are when one of several ids is %s', async (_, wrong) => {
    const before = await ids();
    for (const change of [retryDeadLetters, discardDeadLetters])
      await expect(change(target(), [...before, wrong])).rejects.toThrow('no dead letter has this id');
    expect(await ids()).toEqual(before);
  });

  it('stay as they are when the id is that of a job that has not ended', async () => {
    const [{ id } = { id: '' }] = await test.query<{ id: string }>(
      `SELECT id FROM jobs.job WHERE state = 'created' AND name = 'fragile'`,
    );
    await expect(discardDeadLetters(target(), [id])).rejects.toThrow('no dead letter has this id');
  });

  it.each(['production', 'staging', 'development'] as const)(
    'stay as they are when the caller means %s',
    async (expected) => {
      const before = await ids();
      const other = { ...target(), expected };
      for (const change of [retryDeadLetters, discardDeadLetters])
        await expect(change(other, before)).rejects.toThrow(
          'expected caller, configuration and database to name the same',
        );
      await expect(listJobs(other)).rejects.toThrow('the caller and the configuration disagree');
      expect(await ids()).toEqual(before);
    },
  );
});
