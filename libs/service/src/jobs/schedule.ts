import { CronExpressionParser } from 'cron-parser';

/** When a job is sent by itself: `{ cron: '0 3 * * *', timeZone: 'Europe/Berlin', data: {} }`. */
export interface JobSchedule<Data> {
  /** Minute, hour, day, month and weekday, with seconds before them if needed. */
  readonly cron: string;
  readonly timeZone: string;
  readonly data: Data;
}

type Times = Omit<JobSchedule<object>, 'data'>;

/**
 * The last time after one and not after another at which the schedule is due; undefined if there is none. A time of day
 * that does not exist on a day is moved by an hour. One that exists twice counts once, if `after` is not between the two.
 */
export function findTick({ cron, timeZone }: Times, after: Date, now: Date): Date | undefined {
  const times = CronExpressionParser.parse(cron, { tz: timeZone, currentDate: after });
  let tick: Date | undefined;
  for (let next = times.next().toDate(); next <= now; next = times.next().toDate()) tick = next;
  return tick;
}

/** @throws Error for a schedule that no process could follow */
export function assertSchedule(name: string, schedule: Times): void {
  const { cron, timeZone } = schedule;
  try {
    // An empty expression would be every minute.
    if (!/^\S+( \S+){4,5}$/.test(cron)) throw new Error('the expression has not five or six parts');
    Intl.DateTimeFormat('en', { timeZone });
    const now = new Date();
    findTick(schedule, now, now);
  } catch (error) {
    throw new Error(
      `job ${name}: cannot be scheduled by "${cron}" in "${timeZone}": ${(error as Error).message}; ` +
        "expected such as '0 3 * * *' in 'Europe/Berlin'",
      { cause: error },
    );
  }
}
