import { CronExpressionParser } from 'cron-parser';

/** When a job is sent by itself: `{ cron: '0 3 * * *', timeZone: 'Europe/Berlin', data: {} }`. */
export interface JobSchedule<Data> {
  /** Minute, hour, day, month and weekday, with seconds before them if needed. */
  readonly cron: string;
  readonly timeZone: string;
  readonly data: Data;
}

type Times = Omit<JobSchedule<object>, 'data'>;

/** The last time at or before a time at which the schedule was due. */
export function findTick({ cron, timeZone }: Times, now: Date): Date {
  // The parser looks for a time strictly before the one that it is given.
  const currentDate = new Date(now.getTime() + 1);
  return CronExpressionParser.parse(cron, { tz: timeZone, currentDate }).prev().toDate();
}

/** @throws Error for a schedule that no process could follow */
export function assertSchedule(name: string, schedule: Times): void {
  const { cron, timeZone } = schedule;
  try {
    // An empty expression would be every minute.
    if (!/^\S+( \S+){4,5}$/.test(cron)) throw new Error('the expression has not five or six parts');
    Intl.DateTimeFormat('en', { timeZone });
    findTick(schedule, new Date());
  } catch (error) {
    throw new Error(
      `job ${name}: cannot be scheduled by "${cron}" in "${timeZone}": ${(error as Error).message}; ` +
        "expected such as '0 3 * * *' in 'Europe/Berlin'",
      { cause: error },
    );
  }
}
