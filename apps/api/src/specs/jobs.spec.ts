import { jobs } from '@airlock/jobs';
import { model } from '@airlock/model';
import { EntityRecord } from '@airlock/model/orm';
import { Database, Files, Operation, Problem, ReadCaches, UserId } from '@airlock/service';
import { job, Jobs, PermanentError } from '@airlock/service/jobs';
import { describeProduct } from '@airlock/service/product';
import { useTestApp, type TestApp, TestIssuer } from '@airlock/service/testing';
import { useTestDatabase } from '@airlock/database-dev/testing';
import * as stream from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as nest from '@nestjs/common';
import * as zod from 'zod';
import { api as definition } from '../api.js';
import { ApiProcess } from '../testing/api-process.fixture.js';
import { readCode, runCode } from '../testing/page-code.fixture.js';

type AnyJob = (typeof jobs)[number];

const modules = {
  '@airlock/service': { Database, Files, Operation, Problem, ReadCaches, UserId },
  '@airlock/service/jobs': { job, Jobs, PermanentError },
  '@nestjs/common': nest,
  'node:stream': stream,
  '@airlock/service/testing': { useTestApp },
  '@airlock/model/orm': { EntityRecord },
  zod,
};
// The blocks of the page are parts of one module.
const page = runCode(readCode('jobs.md').join('\n'), modules);
const { copyEntity, forgetAttribute, exportEntities, countOwners } = page as Record<string, AnyJob>;
const copyInTest = page['copyInTest'] as (app: TestApp, id: string) => Promise<object[]>;
@nest.Module({ imports: [definition.module], controllers: [page['CopiesController'] as nest.Type] })
class PageModule {}
const declared = [copyEntity, forgetAttribute, exportEntities, countOwners].filter((of) => of !== undefined);

describe.each(['delete', 'rollback'] as const)('docs/jobs.md, on a database isolated by %s', (isolation) => {
  const api = useTestApp({ ...definition, ...describeProduct(model, declared), module: PageModule }, { isolation });
  const create = async (name: string, attributes: object) => {
    const payload = { name, attributes };
    const response = await api.request({ method: 'POST', url: '/api/v1/entities', as: 'user_1', payload });
    return response.json<{ id: string }>().id;
  };
  const list = async () => {
    const response = await api.request({ url: '/api/v1/entities?sort=createdAt', as: 'user_1' });
    return response.json<{ items: { name: string; attributes: object }[] }>().items;
  };

  it('copies an entity, once for its key', async () => {
    const id = await create('Kettle', {});
    expect(await copyInTest(api, id)).toEqual([{ name: 'entities.copy', outcome: 'done' }]);
    expect(await copyInTest(api, id)).toEqual([]);
    expect((await list()).map(({ name }) => name).sort()).toEqual(['Kettle', 'Kettle, copy']);
  });

  it('accepts a copy, whose state leads its owner to the result', async () => {
    const id = await create('Kettle', {});
    const get = async (url: string, as = 'user_1') => (await api.request({ url, as })).json<Record<string, string>>();
    const accepted = await api.request({ method: 'POST', url: `/api/v1/entities/${id}/copies`, as: 'user_1' });
    const url = String(accepted.headers['location']);
    expect([accepted.statusCode, accepted.json()]).toEqual([202, await get(url)]);
    expect(await get(url)).toEqual({ id: url.replace('/api/v1/operations/', ''), status: 'pending' });
    expect(await api.runJobs()).toEqual([{ name: 'entities.copy', outcome: 'done' }]);
    const { status, result } = await get(url);
    expect([status, (await get(String(result)))['name']]).toEqual(['done', 'Kettle, copy']);
    expect(await get(url, 'user_2')).toMatchObject({ code: 'not-found' });
  });

  it('fails for an entity that does not exist', async () => {
    const request = { method: 'POST', url: '/api/v1/entities/01890a5d-ac96-774b-bcce-b302099a8057/copies' } as const;
    const { headers } = await api.request({ ...request, as: 'user_1' });
    expect(await api.runJobs()).toEqual([{ name: 'entities.copy', outcome: 'dead' }]);
    const state = await api.request({ url: String(headers['location']), as: 'user_1' });
    expect(state.json()).toMatchObject({ status: 'failed', problem: { code: 'not-found' } });
  });

  it('changes many rows in steps', async () => {
    for (const name of ['one', 'two', 'three']) await create(name, { colour: 'red', size: name });
    const [database, sender] = [api.app.nest.get(Database), api.app.nest.get(Jobs)];
    const data = { ownerId: 'user_1', attribute: 'colour' };
    await database.asUser('user_1', (tx) => sender.send(tx, forgetAttribute as AnyJob, data as never));
    expect(await api.runJobs()).toEqual([{ name: 'entities.forget-attribute', outcome: 'done' }]);
    expect((await list()).map(({ attributes }) => attributes)).toEqual(
      expect.arrayContaining([{ size: 'one' }, { size: 'two' }, { size: 'three' }]),
    );
  });

  it('writes an export, and keeps it with its row', async () => {
    await create('Kettle', {});
    const [database, sender] = [api.app.nest.get(Database), api.app.nest.get(Jobs)];
    const data = { ownerId: 'user_1' };
    await database.asUser('user_1', (tx) => sender.send(tx, exportEntities as AnyJob, data as never));
    expect(await api.runJobs()).toEqual([{ name: 'entities.export', outcome: 'done' }]);
    const [file] = (await list()).filter(({ name }) => name === 'entities.txt');
    const { key } = file?.attributes as { key: string };
    expect(await text(await api.app.nest.get(Files).read({ key }))).toBe('Kettle\n');
  });

  it('counts the owners, as the system', async () => {
    await create('Kettle', {});
    const [database, sender] = [api.app.nest.get(Database), api.app.nest.get(Jobs)];
    await database.asSystem('spec', (tx) => sender.send(tx, countOwners as AnyJob, {}));
    expect(await api.runJobs()).toEqual([{ name: 'entities.count-owners', outcome: 'done' }]);
    expect(api.lines.find(({ event }) => event === 'owners.counted')).toMatchObject({ owners: expect.any(Number) });
  });
});

describe('the API with JOBS_IN_API', () => {
  const database = useTestDatabase({ isolation: 'delete' });
  let issuer: TestIssuer;
  beforeAll(async () => void (issuer = await TestIssuer.start()));
  afterAll(() => issuer.stop());
  const sendCount = `
    SELECT jobs.create_queue('entities.count', '{"policy": "standard"}');
    INSERT INTO jobs.job (name, data) VALUES ('entities.count', '{"data": {}}')`;

  it('runs the jobs beside the requests, and ends them at its shutdown', async () => {
    await database.query(sendCount);
    const api = await ApiProcess.start({
      config: { ...database.config, auth: issuer.auth },
      env: { JOBS_IN_API: 'true' },
    });
    try {
      await api.waitFor('entities.counted');
      expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
      api.signal('SIGTERM');
      expect(await api.exited).toEqual({ code: 0, signal: null });
    } finally {
      await api.stop();
    }
  });

  it('runs none without it', async () => {
    await database.query(sendCount);
    const api = await ApiProcess.start({ config: { ...database.config, auth: issuer.auth } });
    // Longer than the pause between two questions of a worker.
    await sleep(1_500);
    await api.stop();
    expect(await database.query('SELECT state FROM jobs.job')).toEqual([{ state: 'created' }]);
  });
});
