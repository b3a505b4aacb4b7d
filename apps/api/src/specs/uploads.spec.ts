import { mkdtempSync, readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { traitsOf } from '@airlock/config';
import { metaOf } from '@airlock/config/loading';
import { goodEnvironments } from '@airlock/config/testing';
import { Database, Files, Operation, Problem, Received, type ReceivedFiles, UserId } from '@airlock/service';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as nest from '@nestjs/common';
import * as zod from 'zod';
import { readCode, runCode } from '../testing/page-code.fixture.js';
import { useTestApi } from '../testing/use-test-api.fixture.js';

const page = readFileSync(new URL('../../../../docs/uploads.md', import.meta.url), 'utf8');
const [, table = ''] = /^```sql\n(.*?)^```$/ms.exec(page) ?? [];
const [block = '', ...others] = readCode('uploads.md');
interface Scans {
  add(userId: string, fields: { title: string }, files: ReceivedFiles<'scan'>): Promise<object>;
}
const service = { Database, Files, Operation, Problem, Received, UserId };
const { ScansController } = runCode(block, { '@airlock/service': service, '@nestjs/common': nest, zod }) as {
  ScansController: nest.Type<Scans>;
};
@nest.Module({ controllers: [ScansController] })
class ScansModule {}

const PDF = '%PDF-1.7\n%%EOF\n';
const folder = mkdtempSync(join(tmpdir(), 'airlock-uploads-'));

describe('docs/uploads.md', () => {
  const api = useTestApi({
    imports: [{ module: ScansModule }],
    configure: (config) => ({ ...config, storage: { kind: 'folder', path: folder } }),
  });
  beforeAll(async () => {
    for (const sql of [
      table,
      `CREATE POLICY scans_owner ON public.scans USING (owner_id = current_setting('app.user_id', true))`,
      'ALTER TABLE public.scans ENABLE ROW LEVEL SECURITY',
      'GRANT SELECT, INSERT, DELETE ON public.scans TO PUBLIC',
    ])
      await api.database.query(sql);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const objects = async () => (await readdir(folder)).filter((name) => !name.endsWith('.json'));

  it('has one route, which stores a file, gives it back to its owner and deletes it', async () => {
    expect(others).toEqual([]);
    const payload = [
      '--b\r\ncontent-disposition: form-data; name="title"\r\n\r\nInvoice\r\n',
      `--b\r\ncontent-disposition: form-data; name="scan"; filename="a.pdf"\r\n\r\n${PDF}\r\n--b--\r\n`,
    ].join('');
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    const created = await api.request({ as: 'user_1', method: 'POST', url: '/api/v1/scans', payload, headers });
    expect([created.statusCode, created.json()]).toEqual([
      201,
      { id: expect.any(String), title: 'Invoice', mediaType: 'application/pdf' },
    ]);
    expect(await objects()).toHaveLength(1);
    const url = `/api/v1/scans/${created.json<{ id: string }>().id}`;
    const read = (as: string) => api.request({ as, url: `${url}/content` });
    expect((await read('user_1')).body).toBe(PDF);
    expect((await read('user_2')).statusCode).toBe(404);
    expect((await api.request({ as: 'user_2', method: 'DELETE', url })).statusCode).toBe(404);
    expect((await api.request({ as: 'user_1', method: 'DELETE', url })).statusCode).toBe(204);
    expect((await read('user_1')).statusCode).toBe(404);
    expect(await api.database.query('SELECT remove_after <= now() AS due FROM ops.files_to_remove')).toEqual([
      { due: true },
    ]);
  });
});

describe('STORAGE_URL', () => {
  const document = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')) as object;
  const takesFiles = JSON.stringify(document).includes('multipart/form-data');
  const deployed = Object.keys(goodEnvironments).filter((environment) => !traitsOf(environment).runsLocally);

  it.each(deployed)('is required in %s if and only if the API takes files: docs/uploads.md', (environment) => {
    const required: readonly string[] = metaOf('STORAGE_URL').required ?? [];
    expect(required.includes(environment)).toBe(takesFiles);
  });
});
