import { useTestDatabase } from '@airlock/database-dev/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { job } from './job.js';
import { JobScheduler } from './job-scheduler.js';
import { JobsWorld, until } from './jobs-world.fixture.js';
import { findTick } from './schedule.js';

const at = (text: string) => new Date(text);
const noWork = () => Promise.resolve();
const makeJob = (cron: string, run: () => Promise<void> = noWork) =>
  job({
    name: 'scheduled',
    data: z.strictObject({ kind: z.string() }),
    schedule: { cron, timeZone: 'Europe/Berlin', data: { kind: 'nightly' } },
    run,
  });

describe('a schedule', () => {
  const test = useTestDatabase({ isolation: 'delete' });
  const worlds: JobsWorld[] = [];
  const open = async (declared: ReturnType<typeof makeJob>) => {
    const world = await JobsWorld.open(test, [declared]);
    worlds.push(world);
    return world;
  };
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.close();
  });
  const keys = async () => {
    const rows = await test.query<{ key: string }>('SELECT singleton_key AS key FROM jobs.job ORDER BY singleton_key');
    return rows.map(({ key }) => key);
  };

  it('sends one job per tick, however many processes there are', async () => {
    let runs = 0;
    const declared = makeJob('* * * * * *', () => Promise.resolve(void (runs += 1)));
    const three = [await open(declared), await open(declared), await open(declared)];
    for (const { runner } of three) runner.start();
    await until(() => runs >= 4);
    for (const world of worlds.splice(0)) await world.close();
    const sent = await keys();
    expect(new Set(sent).size).toBe(sent.length);
    expect(runs).toBe(sent.length);
    const seconds = sent.map((key) => at(key.replace('schedule ', '')).getTime() / 1000);
    // A busy machine may skip a tick, and sends none twice.
    expect(seconds.every((second, index) => index === 0 || second > (seconds[index - 1] ?? 0))).toBe(true);
  });

  it('is made up for once within an hour, also by a process that starts later', async () => {
    const declared = makeJob('0 3 * * *');
    const { queue } = await open(declared);
    const first = new JobScheduler(queue, [declared]);
    await first.send(at('2026-05-01T02:59:00+02:00'));
    expect(await keys()).toEqual([]);
    for (const time of ['03:00:00', '03:00:01', '03:30:00']) await first.send(at(`2026-05-01T${time}+02:00`));
    await new JobScheduler(queue, [declared]).send(at('2026-05-01T03:40:00+02:00'));
    await new JobScheduler(queue, [declared]).send(at('2026-05-02T04:00:01+02:00'));
    expect(await keys()).toEqual(['schedule 2026-05-01T01:00:00.000Z']);
  });

  it('sends its data to the job', async () => {
    const seen: unknown[] = [];
    const declared = job({
      name: 'scheduled',
      data: z.strictObject({ kind: z.string() }),
      schedule: { cron: '0 3 * * *', timeZone: 'UTC', data: { kind: 'nightly' } },
      run: ({ data }) => Promise.resolve(void seen.push(data)),
    });
    const world = await open(declared);
    await new JobScheduler(world.queue, [declared]).send(at('2026-05-01T03:00:00Z'));
    await world.runner.runReady();
    expect(seen).toEqual([{ kind: 'nightly' }]);
  });

  it('refuses data that do not fit the job', () => {
    const define = () =>
      job({
        name: 'scheduled',
        data: z.strictObject({ kind: z.string().max(3) }),
        schedule: { cron: '0 3 * * *', timeZone: 'UTC', data: { kind: 'too long' } },
        run: noWork,
      });
    expect(define).toThrow('job scheduled: does not fit its shape in kind (too_big)');
  });
});

describe('findTick', () => {
  const find = (cron: string, [after, now]: [string, string]) =>
    findTick({ cron, timeZone: 'Europe/Berlin' }, at(after), at(now))?.toISOString();

  it.each([
    ['at the tick', '2026-05-01T01:00:00Z', '2026-05-01T01:00:00.000Z'],
    ['just before it', '2026-05-01T00:59:59.999Z', undefined],
    ['a day later', '2026-05-02T05:00:00Z', '2026-05-02T01:00:00.000Z'],
  ])('finds, %s, the last time', (_, now, tick) => {
    expect(find('0 3 * * *', ['2026-04-30T12:00:00Z', now])).toBe(tick);
  });

  it('finds a time of a skipped hour later, and one of a doubled hour once', () => {
    expect(find('30 2 * * *', ['2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z'])).toBe('2026-03-29T01:30:00.000Z');
    const times = ['00:30', '00:31', '01:30', '01:31', '02:31'].map((time) => `2026-10-25T${time}:00Z`);
    const ticks = times.map((now) => find('30 2 * * *', ['2026-10-24T22:30:00Z', now]));
    expect(new Set(ticks)).toEqual(new Set(['2026-10-25T00:30:00.000Z']));
  });
});
