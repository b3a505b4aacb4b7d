import { fileURLToPath } from 'node:url';
import { Controller, Get, Module, Post } from '@nestjs/common';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Database } from '../data/database.js';
import { listJobs, retryDeadLetters, discardDeadLetters } from '../jobs/dead-letters.js';
import { JobQueue } from '../jobs/job-queue.js';
import { Jobs } from '../jobs/job-sender.js';
import { operationSchema } from '../jobs/operation-schema.js';
import { until } from '../jobs/jobs-world.fixture.js';
import { createOpenApi } from '../openapi/create-openapi.js';
import { Operation } from '../openapi/operation.js';
import { AppProcess } from '../testing/app-process.fixture.js';
import { useTestApp } from '../testing/use-test-app.fixture.js';
import { addParcel, defineParcels, faults, ParcelsModule } from './operations.fixture.js';
import { withOperations } from './operations.module.js';

const WORKER = fileURLToPath(new URL('../testing/working-service', import.meta.url));
const PARCELS = `SELECT id FROM parcels WHERE owner_id = 'user_1'`;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('a route that accepts a job', () => {
  const app = useTestApp(defineParcels(ParcelsModule));
  beforeEach(() => void Object.assign(faults, { run: 'add', handler: 'good' }));

  const post = (payload: object = { name: 'kettle' }, { as = 'user_1', path = '' } = {}) =>
    app.request({ method: 'POST', url: `/api/v1/parcels${path}`, as, payload });
  const accept = async (...args: Parameters<typeof post>) => String((await post(...args)).headers['location']);
  const read = async (url: string, as = 'user_1') => {
    const { statusCode, headers, json } = await app.request({ url, as });
    const body = json<Record<string, unknown>>();
    if (statusCode === 200) expect(operationSchema.parse(body)).toEqual(body);
    return { statusCode, retryAfter: headers['retry-after'], body };
  };
  const setState = (state: string) => app.database.query('UPDATE jobs.job SET state = $1', [state]);
  const target = () => ({ config: app.config, expected: 'testing' as const });

  it('responds with the address of its state, which ends with the address of the result', async () => {
    const response = await post();
    const { id, ...body } = response.json<Record<string, unknown>>();
    expect(id).toMatch(UUID);
    const url = `/api/v1/operations/${String(id)}`;
    expect([response.statusCode, body]).toEqual([202, { status: 'pending' }]);
    expect(response.headers).toMatchObject({ location: url, 'retry-after': '2', 'cache-control': 'no-store' });
    expect(await read(url)).toEqual({ statusCode: 200, retryAfter: '2', body: { id, status: 'pending' } });
    await setState('active');
    expect(await read(url)).toEqual({ statusCode: 200, retryAfter: '2', body: { id, status: 'running' } });
    await setState('created');
    await app.runJobs();
    const [row] = await app.database.query<{ id: string }>(PARCELS);
    const result = `/api/v1/parcels/${String(row?.id)}`;
    expect(await read(url)).toEqual({ statusCode: 200, retryAfter: undefined, body: { id, status: 'done', result } });
  });

  it('has the result of a job of steps', async () => {
    const url = await accept({}, { path: '/two' });
    await app.runJobs();
    expect((await read(url)).body).toMatchObject({ status: 'done', result: '/api/v1/parcels' });
  });

  it('does not show the state to another user, or that there is one', async () => {
    const url = await accept();
    const none = await read('/api/v1/operations/00000000-0000-4000-8000-000000000000', 'user_2');
    const others = await read(url, 'user_2');
    const { instance: a, ...hidden } = others.body;
    const { instance: b, ...missing } = none.body;
    expect([others.statusCode, none.statusCode, hidden, [a, b].every(Boolean)]).toEqual([404, 404, missing, true]);
    expect((await app.request({ url })).statusCode).toBe(401);
    expect((await read('/api/v1/operations/1')).statusCode).toBe(422);
    await app.runJobs();
    expect((await read(url, 'user_2')).statusCode).toBe(404);
  });

  it('does not show the state of a job that no route has accepted', async () => {
    const [database, jobs] = [app.app.nest.get(Database), app.app.nest.get(Jobs)];
    const data = { ownerId: 'user_1', name: 'kettle' };
    const id = await database.asUser('user_1', (tx) => jobs.send(tx, addParcel, data));
    expect((await read(`/api/v1/operations/${String(id)}`)).statusCode).toBe(404);
  });

  it('is gone with its job after the time that the job is kept', async () => {
    const url = await accept();
    await app.runJobs();
    await app.database.query(`UPDATE jobs.job SET completed_on = now() - interval '13 days'`);
    const tidy = async () => {
      await app.database.query('UPDATE jobs.queue SET maintain_on = NULL, monitor_on = NULL');
      await app.app.nest.get(JobQueue).watch();
    };
    await tidy();
    expect((await read(url)).statusCode).toBe(200);
    await app.database.query(`UPDATE jobs.job SET completed_on = now() - interval '15 days'`);
    await tidy();
    expect((await read(url)).statusCode).toBe(404);
  });

  it('gives the same address for the same key of a user, and another one to another user', async () => {
    const payload = { name: 'kettle', key: 'order 1' };
    const urls = await Promise.all(Array.from({ length: 5 }, () => accept(payload)));
    expect(new Set(urls).size).toBe(1);
    const other = await accept(payload, { as: 'user_2' });
    expect(other).not.toBe(urls[0]);
    expect((await app.runJobs()).length).toBe(2);
    const again = await post(payload);
    expect([again.statusCode, again.json()]).toEqual([202, expect.objectContaining({ status: 'done' })]);
    expect([again.headers['location'], again.headers['retry-after']]).toEqual([urls[0], undefined]);
  });

  it('is described in the document, as is every route that is served', () => {
    const options = { title: 't', version: '1', prefix: '/api/v1', module: withOperations(ParcelsModule) };
    const paths = createOpenApi(options)['paths'] as Record<string, object>;
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    );
    const served = app.app.routes.list().filter((route) => /^(GET|POST) \/api\/v1\/[^d]/.test(route));
    expect(described.sort()).toEqual(served.filter((route) => !route.endsWith('openapi.json')));
  });

  it('accepts nothing if its transaction is rolled back', async () => {
    faults.handler = 'roll back';
    expect((await post()).statusCode).toBe(409);
    expect(await app.database.query('SELECT id FROM jobs.job')).toEqual([]);
  });

  it.each([
    ['nothing', 'was not accepted'],
    ['other job', 'was not accepted'],
    ['as system', 'was accepted for no user'],
  ] as const)('fails if the handler returns or does this: %s', async (handler, message) => {
    faults.handler = handler;
    expect((await post()).statusCode).toBe(500);
    expect(JSON.stringify(app.lines)).toContain(message);
  });

  describe('of which the job fails', () => {
    const runAll = async () => {
      const runs = await app.runJobs();
      await app.database.query(`UPDATE jobs.job SET start_after = now() WHERE state = 'retry'`);
      return [...runs, ...(await app.runJobs())];
    };
    const fail = async (run: typeof faults.run) => {
      faults.run = run;
      const url = await accept();
      const runs = await runAll();
      return { url, runs: runs.map(({ outcome }) => outcome), ...(await read(url)) };
    };

    it.each([
      ['throws', 'crash'],
      ['exceeds its time limit', 'hang'],
    ] as const)('shows no detail of an error when it %s', async (_, run) => {
      const { runs, body, retryAfter } = await fail(run);
      expect([runs, retryAfter]).toEqual([['failed', 'dead'], undefined]);
      expect(body).toEqual({
        id: expect.stringMatching(UUID),
        status: 'failed',
        problem: {
          type: 'urn:airlock:problem:internal-error',
          title: expect.any(String),
          status: 500,
          code: 'internal-error',
          instance: expect.stringMatching(/^urn:airlock:request:/),
        },
      });
    });

    it('is pending before its last run, which may succeed', async () => {
      faults.run = 'crash';
      const url = await accept();
      await app.runJobs();
      const { id, ...body } = (await read(url)).body;
      expect([typeof id, body]).toEqual(['string', { status: 'pending' }]);
    });

    it('shows a problem that it throws', async () => {
      const { body } = await fail('conflict');
      expect(body['problem']).toMatchObject({ code: 'conflict', status: 409, detail: 'Another parcel has this name.' });
    });

    it('shows another problem for a code that this release does not know', async () => {
      const { url } = await fail('conflict');
      await app.database.query(`UPDATE jobs.job SET output = '{"problem": {"code": "constructor"}}'`);
      expect((await read(url)).body['problem']).toMatchObject({ code: 'internal-error' });
    });

    it('fails at once for an error that says that it is permanent', async () => {
      const { runs, body } = await fail('refuse');
      expect([runs, body['status']]).toEqual([['dead'], 'failed']);
    });

    it('refuses a result that is not a path of the service', async () => {
      const url = await accept({ name: 'stray' });
      await runAll();
      expect((await read(url)).body).toMatchObject({ status: 'failed' });
      expect(await app.database.query(PARCELS)).toEqual([]);
    });

    it('is failed after its dead letter was discarded, and again pending after it was retried', async () => {
      const { url } = await fail('crash');
      const [letter] = (await listJobs(target())).deadLetters;
      await retryDeadLetters(target(), [letter?.id ?? '']);
      expect((await read(url)).body).toMatchObject({ status: 'pending' });
      expect((await read(url, 'user_2')).statusCode).toBe(404);
      await runAll();
      expect((await read(url)).body).toMatchObject({ status: 'failed' });
      const [second] = (await listJobs(target())).deadLetters;
      faults.run = 'add';
      await retryDeadLetters(target(), [second?.id ?? '']);
      await app.runJobs();
      expect((await read(url)).body).toMatchObject({ status: 'done', result: expect.any(String) });
      const { url: other } = await fail('crash');
      const [third] = (await listJobs(target())).deadLetters;
      await discardDeadLetters(target(), [third?.id ?? '']);
      expect((await read(other)).body).toMatchObject({ status: 'failed' });
    });

    it('is failed when each of its processes is killed', async () => {
      const url = await accept({}, { path: '/fatal' });
      const start = () => AppProcess.start({ folder: WORKER, config: app.config });
      const first = await start();
      await first.exited;
      expect((await read(url)).body).toMatchObject({ status: 'running' });
      const second = await start();
      await until(async () => (await read(url)).body['status'] === 'failed');
      expect((await read(url)).body['problem']).toMatchObject({ code: 'internal-error' });
      await second.stop();
    });
  });
});

describe('withOperations', () => {
  @Controller('plain')
  class Plain {
    @Get()
    @Operation({ summary: 'Read', response: { status: 200 } })
    read() {
      return undefined;
    }
  }
  @Module({ controllers: [Plain] })
  class PlainModule {}
  @Controller('half')
  class Half {
    @Post()
    @Operation({ summary: 'Add', response: { status: 201, job: addParcel } })
    add() {
      return undefined;
    }
  }
  @Module({ controllers: [Half] })
  class HalfModule {}
  const describeApi = (module: Parameters<typeof withOperations>[0]) =>
    createOpenApi({ title: 't', version: '1', prefix: '/api/v1', module: withOperations(module) });

  it('adds nothing to an app that accepts no job', () => {
    expect(withOperations(PlainModule)).toBe(PlainModule);
    expect(Object.keys(describeApi(PlainModule)['paths'] as object)).toEqual(['/api/v1/plain']);
  });

  it('describes the route that accepts, and the one of the state', () => {
    const { paths, components } = describeApi(ParcelsModule) as Record<string, Record<string, never>>;
    expect(paths?.['/api/v1/operations/{id}']).toMatchObject({
      get: { responses: { 200: { headers: { 'retry-after': {} } }, 404: {} } },
    });
    expect(paths?.['/api/v1/parcels']).toMatchObject({
      post: {
        responses: {
          202: {
            headers: { location: {}, 'retry-after': {} },
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Operation' } } },
          },
        },
      },
    });
    expect(components?.['schemas']?.['Operation']).toMatchObject({
      properties: { problem: { $ref: '#/components/schemas/Problem' } },
      required: ['id', 'status'],
    });
  });

  it('refuses a job without status 202, and the status without a job', () => {
    expect(() => describeApi(HalfModule)).toThrow('has status 202 or a job alone');
  });
});
