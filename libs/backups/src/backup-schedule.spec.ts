import { describe, expect, it } from '@jest/globals';
import { chooseNext, runSchedule } from './backup-schedule.js';

const HOUR = 3_600_000;
const now = Date.UTC(2026, 0, 10);
const ago = (hours: number) => new Date(now - hours * HOUR);
const schedule = { backupEveryMs: 24 * HOUR, drillEveryMs: 168 * HOUR };

describe('chooseNext', () => {
  it.each([
    ['nothing was ever done', undefined, undefined, 'backup'],
    ['a backup is due', ago(24), ago(1), 'backup'],
    ['both are due', ago(25), ago(169), 'backup'],
    ['no drill was ever done', ago(1), undefined, 'drill'],
    ['a drill is due', ago(1), ago(168), 'drill'],
    ['the clock was wrong', ago(-5), ago(1), 'backup'],
    ['a backup is due in half an hour', ago(23.5), ago(1), HOUR / 2],
    ['nothing is due for long', ago(1), ago(1), HOUR],
  ])('is right when %s', (_, takenAt, provedAt, next) => {
    expect(chooseNext(schedule, { takenAt, provedAt }, now)).toBe(next);
  });

  it('tries a drill that failed again after six hours, and no backup waits for it', () => {
    const after = (hours: number, takenAt = ago(1)) =>
      chooseNext(schedule, { takenAt, provedAt: undefined, drilledAt: ago(hours) }, now);
    expect([after(5.5), after(6), after(1, ago(24))]).toEqual([HOUR / 2, 'drill', 'backup']);
  });
});

it('makes no drill without an interval for it', () => {
  const next = chooseNext({ ...schedule, drillEveryMs: Infinity }, { takenAt: ago(1), provedAt: undefined }, now);
  expect(next).toBe(HOUR);
});

describe('runSchedule', () => {
  it('begins with a backup and a drill, reports a failure, and ends with its signal while it waits', async () => {
    const [control, done, failures]: [AbortController, string[], unknown[]] = [new AbortController(), [], []];
    const past: { takenAt: Date | undefined; provedAt: Date | undefined } = { takenAt: undefined, provedAt: undefined };
    await runSchedule({
      schedule,
      signal: control.signal,
      loadPast: () => Promise.resolve(past),
      backup: () => {
        done.push('backup');
        past.takenAt = new Date();
        return Promise.resolve();
      },
      drill: () => {
        done.push('drill');
        return Promise.reject(new Error('damaged'));
      },
      onFailure: (error) => {
        failures.push(error);
        setImmediate(() => control.abort());
      },
    });
    expect([done, failures]).toEqual([['backup', 'drill'], [new Error('damaged')]]);
  });

  it('stores one backup, and not one after the other, while the newest is one of the future', async () => {
    const control = new AbortController();
    let backups = 0;
    await runSchedule({
      schedule: { ...schedule, drillEveryMs: Infinity },
      signal: control.signal,
      // The second look comes after the backup: what is due then would be done at once.
      loadPast: () => Promise.resolve({ takenAt: new Date(Date.now() + HOUR), provedAt: new Date() }),
      backup: () => {
        backups += 1;
        if (backups === 1) setTimeout(() => control.abort(), 50);
        return Promise.resolve();
      },
      drill: () => Promise.resolve(),
      onFailure: () => undefined,
    });
    expect(backups).toBe(1);
  });
});
