import { fileURLToPath } from 'node:url';
import { useTestDatabase } from '@airlock/database-dev/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AppProcess } from '../testing/app-process.fixture.js';
import { longJob, slowJob } from '../testing/working-service/src/working-service.fixture.js';
import { type Job } from './job.js';
import { JobsWorld, until } from './jobs-world.fixture.js';

const FOLDER = fileURLToPath(new URL('../testing/working-service', import.meta.url));
const USER = 'user_1';

class WorkerProcess extends AppProcess {
  constructor(options: Pick<ConstructorParameters<typeof AppProcess>[0], 'config' | 'env'>) {
    super({ folder: FOLDER, ...options });
  }
}

describe('a process that runs jobs', () => {
  const test = useTestDatabase({ isolation: 'delete' });
  const processes: WorkerProcess[] = [];
  const start = async (env = {}) => {
    const process = await WorkerProcess.start({ config: test.config, env });
    processes.push(process);
    return process;
  };
  afterEach(async () => {
    for (const process of processes.splice(0)) await process.stop();
  });
  const send = async (job: Job, data: object) => {
    const world = await JobsWorld.open(test, [slowJob, longJob]);
    await world.database.asUser(USER, (tx) => world.jobs.send(tx, job, data));
    await world.close();
  };
  const names = async () => {
    const rows = await test.query<{ name: string }>('SELECT name FROM parcels WHERE owner_id = $1 ORDER BY id', [USER]);
    return rows.map(({ name }) => name);
  };
  const events = (process: WorkerProcess) => process.lines.map(({ event }) => event);

  it('loses its job to another one when it is killed, which runs it exactly once', async () => {
    const first = await start();
    await send(slowJob, { name: 'kettle', ms: 2_000 });
    await first.waitFor('slow.begun');
    first.signal('SIGKILL');
    const second = await start();
    await second.waitFor('job.done');
    expect(await names()).toEqual(['kettle']);
    expect(await test.query('SELECT state, retry_count AS retries FROM jobs.job')).toEqual([
      { state: 'completed', retries: 1 },
    ]);
  });

  it('loses its job also when it is only frozen, and cannot end it afterwards', async () => {
    const first = await start();
    await send(slowJob, { name: 'kettle', ms: 2_000 });
    await first.waitFor('slow.begun');
    first.signal('SIGSTOP');
    const second = await start();
    await second.waitFor('job.done');
    first.signal('SIGCONT');
    await first.waitFor('job.taken');
    expect(await names()).toEqual(['kettle']);
  });

  it('ends its job within the time of a shutdown', async () => {
    const process = await start();
    await send(slowJob, { name: 'kettle', ms: 1_000 });
    await process.waitFor('slow.begun');
    process.signal('SIGTERM');
    expect(await process.exited).toEqual({ code: 0, signal: null });
    expect([await names(), events(process)]).toEqual([
      ['kettle'],
      expect.arrayContaining(['job.done', 'shutdown.done']),
    ]);
  });

  it('gives back a job that takes longer, at once, for another process', async () => {
    const process = await start({ SHUTDOWN_REQUESTS: '1s', REQUEST_TIMEOUT: '10s' });
    await send(slowJob, { name: 'kettle', ms: 60_000 });
    await process.waitFor('slow.begun');
    process.signal('SIGTERM');
    expect((await process.exited).code).toBe(0);
    expect(events(process)).toContain('job.released');
    expect(await test.query('SELECT state FROM jobs.job')).toEqual([{ state: 'retry' }]);
  });

  it('ends a long job after its step, and another process goes on at the cursor', async () => {
    const first = await start();
    await send(longJob, { name: 'part', ms: 100 });
    await first.waitFor('long.stepped');
    first.signal('SIGTERM');
    expect((await first.exited).code).toBe(0);
    const done = await names();
    expect(done.length).toBeLessThan(10);
    const second = await start();
    await second.waitFor('job.done');
    expect(await names()).toEqual(Array.from({ length: 10 }, (_, at) => `part ${at}`));
    expect(events(second).filter((event) => event === 'long.stepped')).toHaveLength(10 - done.length);
  });

  it('takes up its work again when the server has ended its sessions', async () => {
    const process = await start();
    await test.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND datname = $2`, [
      test.config.database.app.user,
      test.config.database.app.database,
    ]);
    await send(slowJob, { name: 'kettle', ms: 1 });
    await process.waitFor('job.done');
    await until(async () => (await names()).length === 1);
  });
});
