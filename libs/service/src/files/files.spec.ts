import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Config, Secret } from '@airlock/config';
import { Controller, Get, Module, Post, type Type } from '@nestjs/common';
import { createApp } from '../app/create-app.js';
import { findRefusal } from '../failures/find-refusal.js';
import { Operation } from '../openapi/operation.js';
import { createOpenApi } from '../openapi/create-openapi.js';
import { defineService } from '../testing/define-service.fixture.js';
import { useTestApp } from '../testing/use-test-app.fixture.js';
import { createTable, DocumentsModule, faults, LARGEST, PDF, PNG } from './documents.fixture.js';
import { FileStore } from './file-store.js';
import { openFiles } from './open-files.js';

const files = { scan: { maxBytes: 1, types: ['text/csv'] } };
@Controller()
class Public {
  @Post()
  @Operation({ summary: 'Take', files, access: 'public', response: { status: 201 } })
  take() {
    return undefined;
  }
}
@Controller()
class Reading {
  @Get()
  @Operation({ summary: 'Take', files, response: { status: 200 } })
  take() {
    return undefined;
  }
}
@Module({})
class EmptyModule {}
@Module({ controllers: [Public] })
class PublicModule {}
@Module({ controllers: [Reading] })
class ReadingModule {}

const folder = mkdtempSync(join(tmpdir(), 'airlock-files-'));

describe('a route that takes files', () => {
  const app = useTestApp(defineService(DocumentsModule), {
    configure: (config) => ({
      ...config,
      storage: { kind: 'folder', path: folder },
      http: { ...config.http, requestTimeoutMs: 1_500 },
    }),
  });
  let url = '';
  let token = '';
  let other = '';
  beforeAll(async () => {
    await createTable((sql) => app.database.query(sql));
    await app.app.nest.listen(0, '127.0.0.1');
    url = `${await app.app.nest.getUrl()}/api/v1/documents`;
    [token = '', other = ''] = await Promise.all(['user_1', 'user_2'].map((sub) => app.issuer.sign({ sub })));
  });
  beforeEach(async () => {
    await app.database.query('TRUNCATE documents, ops.files_to_remove');
    for (const name of await stored()) await rm(join(folder, name));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const stored = async () => (await readdir(folder)).filter((name) => !name.endsWith('.json'));
  const listed = async () => (await app.database.query<{ key: string }>('SELECT key FROM ops.files_to_remove')).length;
  const rows = () => app.database.query<Record<string, unknown>>('SELECT * FROM documents');
  /** The response comes before the object is removed. */
  const expectNothing = async () => {
    for (let i = 0; i < 100 && ((await stored()).length > 0 || (await listed()) > 0); i += 1) await sleep(20);
    expect([await stored(), await listed(), await rows()]).toEqual([[], 0, []]);
  };
  const form = (parts: Record<string, string | Blob>, name = 'scan.pdf') => {
    const body = new FormData();
    for (const [part, value] of Object.entries(parts))
      if (typeof value === 'string') body.append(part, value);
      else body.append(part, value, name);
    return body;
  };
  const post = async (
    body: FormData | string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
    path = '',
  ) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('stores a file with its row, and gives it back to its owner only', async () => {
    const { status, body } = await post(
      form({ title: 'Invoice', scan: new Blob([PDF]) }, '../In\u202evo ice \u00fc.pdf'),
    );
    expect({ status, body }).toEqual({
      status: 201,
      body: { id: expect.any(String), title: 'Invoice', mediaType: 'application/pdf', bytes: PDF.length },
    });
    expect([(await stored()).length, await listed(), (await rows()).length]).toEqual([1, 0, 1]);
    const read = (bearer: string) =>
      fetch(`${url}/${String(body['id'])}/content`, { headers: { authorization: `Bearer ${bearer}` } });
    const response = await read(token);
    expect(Buffer.from(await response.arrayBuffer()).equals(PDF)).toBe(true);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/pdf',
      'content-length': String(PDF.length),
      'content-disposition': `attachment; filename="In_vo ice _.pdf"; filename*=UTF-8''In_vo%20ice%20%C3%BC.pdf`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
      'cache-control': 'no-store',
    });
    expect((await read(other)).status).toBe(404);
    expect((await read('x')).status).toBe(401);
  });

  const scan = new Blob([PDF]);
  const csv = (content: string | Uint8Array<ArrayBuffer>) => new Blob([content]);
  const parts = (...texts: string[]) =>
    Buffer.from(
      [...texts.map((part) => `--b\r\ncontent-disposition: form-data; ${part}\r\n`), '--b--\r\n'].join(''),
      'latin1',
    );
  const file = `name="scan"; filename="a"\r\n\r\n${PDF.toString()}`;
  const FORM = { 'content-type': 'multipart/form-data; boundary=b' };
  const invalid = (...pointers: string[]) => ({ status: 422, pointers });

  it.each<[string, FormData | Uint8Array<ArrayBuffer>, { status: number; pointers?: string[] }]>([
    ['a type that is not allowed', form({ title: 'a', scan: csv('a,b') }), invalid('#/scan')],
    ['a web page', form({ title: 'a', scan: csv('<!doctype html><script>1</script>') }), invalid('#/scan')],
    ['a program named as a PDF', form({ title: 'a', scan: csv(Buffer.from('MZ\x90\0')) }), invalid('#/scan')],
    [
      'a file beyond the limit',
      form({ title: 'a', scan: new Blob([PDF, Buffer.alloc(LARGEST)]) }),
      { status: 413, pointers: ['#/scan'] },
    ],
    [
      'text that is not UTF-8',
      form({ title: 'a', scan, table: csv(Buffer.from('a,\xff\n', 'latin1')) }),
      invalid('#/table'),
    ],
    [
      'text that ends inside of a character',
      form({ title: 'a', scan, table: csv(Buffer.from([97, 0xc3])) }),
      invalid('#/table'),
    ],
    ['text with a NUL', form({ title: 'a', scan, table: csv('a,\0') }), invalid('#/table')],
    [
      'text that is binary further on',
      form({ title: 'a', scan, table: csv(`${'a,'.repeat(4_000)}\x01`) }),
      invalid('#/table'),
    ],
    ['no file', form({ title: 'a' }), invalid('#/scan')],
    ['no file and a field that is not valid', form({ title: '' }), invalid('#/scan', '#/title')],
    ['a file of no bytes', form({ title: 'a', scan: new Blob([]) }), invalid('#/scan')],
    ['a field that is not valid, after a file', form({ scan, title: 'x'.repeat(21) }), invalid('#/title')],
    ['a number that is none', form({ title: 'a', pages: 'many', scan }), invalid('#/pages')],
    ['a missing field', form({ scan }), invalid('#/title')],
    ['an unknown field', form({ title: 'a', more: 'b', scan }), invalid('#/more')],
    ['an unknown file', form({ title: 'a', scan, more: scan }), invalid('#/more')],
    ['a file in place of a field', form({ title: scan, scan }), invalid('#/title')],
    ['a field with a NUL', form({ title: 'a\0', scan }), invalid('#/title')],
    ['a repeated file', parts(file, file), invalid('#/scan')],
    ['a repeated field', parts('name="title"\r\n\r\na', 'name="title"\r\n\r\nb'), invalid('#/title')],
    ['a name with a slash', parts('name="a/b~c"; filename="a"\r\n\r\na'), invalid('#/a~1b~0c')],
    ['a field that is not UTF-8', parts('name="title"\r\n\r\n\xff', file), { status: 400 }],
    ['a name that reaches the prototype', parts('name="__proto__"\r\n\r\na', file), { status: 400 }],
    ['an empty name', parts('name=""\r\n\r\na', file), { status: 400 }],
    ['a form that ends too early', parts(file).subarray(0, 100), { status: 400 }],
    ['a form that ends in a header', parts(file).subarray(0, 20), { status: 400 }],
    ['another boundary', Buffer.from('--other--'), { status: 400 }],
    ['a long field', parts(`name="title"\r\n\r\n${'a'.repeat(70_000)}`, file), { status: 413 }],
    ['long fields', parts(...[1, 2, 3].map((i) => `name="${i}"\r\n\r\n${'a'.repeat(30_000)}`), file), { status: 413 }],
    ['too many fields', parts(...Array.from({ length: 200 }, (_, i) => `name="${i}"\r\n\r\na`), file), { status: 413 }],
    ['no body', new Uint8Array(0), { status: 400 }],
  ])('refuses %s, and leaves nothing', async (_, body, { status, pointers }) => {
    const response = await post(body, body instanceof FormData ? {} : FORM);
    expect(response).toMatchObject({ status, body: { status } });
    const errors = response.body['errors'] as { pointer: string }[] | undefined;
    if (pointers) expect(errors?.map(({ pointer }) => pointer).sort()).toEqual(pointers);
    await expectNothing();
  });

  it('takes the largest file, a second file, a type with a charset and fields after the files', async () => {
    const body = form({
      scan: new Blob([PDF, Buffer.alloc(LARGEST - PDF.length)]),
      table: csv('a,\u00fc\n'),
      pages: '3',
      title: '\u00fc',
    });
    expect(await post(body)).toMatchObject({ status: 201, body: { bytes: LARGEST, title: '\u00fc' } });
    expect(await post(form({ title: 'a', scan: new Blob([PNG], { type: 'text/html' }) }))).toMatchObject({
      status: 201,
      body: { mediaType: 'image/png' },
    });
    expect([(await stored()).length, await listed()]).toEqual([3, 0]);
  });

  it.each([
    ['throw before', 409],
    ['roll back', 409],
    ['forget', 500],
  ] as const)('leaves nothing when the handler does this: %s', async (next, status) => {
    faults.next = next;
    expect((await post(form({ title: 'a', scan })).finally(() => (faults.next = 'none'))).status).toBe(status);
    if (next === 'forget') await app.database.query('TRUNCATE documents');
    await expectNothing();
    if (next === 'forget') expect(JSON.stringify(app.lines)).toContain('files: scan was not kept');
  });

  it('does not keep a file whose removal has begun', async () => {
    faults.next = 'hang';
    const request = post(form({ title: 'a', scan })).finally(() => (faults.next = 'none'));
    await sleep(500);
    await app.app.nest
      .get(FileStore)
      .discard(
        [...(await app.database.query<{ key: string }>('SELECT key FROM ops.files_to_remove'))].map(({ key }) => key),
      );
    expect((await request).status).toBe(500);
    await expectNothing();
  });

  /** Writes to a socket: the whole request, or less. */
  const send = (body: string, headers: Record<string, string>, path = '') => {
    const { port, pathname } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    const all = { host: 'a', authorization: `Bearer ${token}`, ...FORM, ...headers };
    const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`POST ${pathname}${path} HTTP/1.1\r\n${head.join('')}\r\n${body}`);
    const response = text(socket).catch(() => '');
    return { socket, response };
  };
  const whole = parts('name="title"\r\n\r\na', file).toString('latin1');

  it.each<[string, number, Record<string, string>, string]>([
    ['no token', 401, { authorization: '' }, ''],
    ['an invalid token', 401, { authorization: 'Bearer x.y.z' }, ''],
    ['a length beyond the limit', 413, { 'content-length': '2000000' }, ''],
    ['JSON', 415, { 'content-type': 'application/json' }, ''],
    ['a form in an address', 415, { 'content-type': 'application/x-www-form-urlencoded' }, ''],
    ['a content encoding', 415, { 'content-encoding': 'gzip' }, ''],
    ['no boundary', 400, { 'content-type': 'multipart/form-data' }, ''],
    ['a form at a route that takes JSON', 415, { 'content-length': '1000' }, '/plain'],
  ])('refuses %s before the body arrives', async (_, status, headers, path) => {
    const { socket, response } = send('', { 'content-length': '1000000', ...headers }, path);
    expect(await response).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    socket.destroy();
    await expectNothing();
  });

  it('refuses chunks beyond the limit', async () => {
    const chunk = `${(0x8000).toString(16)}\r\n${'a'.repeat(0x8000)}\r\n`;
    const { socket, response } = send(chunk.repeat(60), { 'transfer-encoding': 'chunked' });
    expect(await response).toMatch(/^HTTP\/1.1 413 /);
    socket.destroy();
  });

  it('invites the body only after it has admitted the request', async () => {
    const { socket } = send('', { 'content-length': '900000', expect: '100-continue' });
    const [first] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(String(first)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    const refused = send('', { 'content-length': '900000', expect: '100-continue', authorization: '' });
    expect(await refused.response).toMatch(/^HTTP\/1.1 401 /);
  });

  it('leaves nothing of a client that leaves in the middle of a file', async () => {
    const { socket } = send(whole.slice(0, -20), { 'content-length': '900000' });
    for (let i = 0; i < 100 && (await listed()) === 0; i += 1) {
      socket.write(Buffer.alloc(1_000));
      await sleep(20);
    }
    expect(await listed()).toBe(1);
    socket.destroy();
    await expectNothing();
  });

  it('disconnects a client that stops in the middle of a file', async () => {
    const { response } = send(whole.slice(0, -20) + 'x'.repeat(50_000), { 'content-length': '900000' });
    expect(await response).toMatch(/^HTTP\/1.1 408 /);
    await expectNothing();
  });

  it('takes a body for longer than the time limit of a request', async () => {
    const { socket, response } = send(whole.slice(0, 150), {
      'content-length': String(whole.length),
      connection: 'close',
    });
    const rest = whole.slice(150);
    for (let at = 0; at < rest.length; at += 10) {
      await sleep(3_500 / (rest.length / 10));
      socket.write(rest.slice(at, at + 10));
    }
    expect(await response).toMatch(/^HTTP\/1.1 201 /);
  });

  it('still ends other requests at the time limit', async () => {
    const { response } = send('{', { 'content-type': 'application/json', 'content-length': '100' }, '/plain');
    expect(await response).toMatch(/^HTTP\/1.1 408 /);
  });

  it('takes at most four uploads of a user at once', async () => {
    const open = [1, 2, 3, 4].map(() => send(whole.slice(0, 50), { 'content-length': '900000' }));
    await sleep(200);
    expect((await post(form({ title: 'a', scan }))).status).toBe(429);
    const headers = { authorization: `Bearer ${other}` };
    expect((await post(form({ title: 'a', scan }), headers)).status).toBe(201);
    for (const { socket } of open) socket.destroy();
    await sleep(200);
    expect((await post(form({ title: 'a', scan }))).status).toBe(201);
  });

  it('removes the object of a file some time after its row, also by two processes at once', async () => {
    const { body } = await post(form({ title: 'a', scan }));
    const response = await fetch(`${url}/${String(body['id'])}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${token}` },
    });
    expect([response.status, (await stored()).length, await listed()]).toEqual([204, 1, 1]);
    const store = app.app.nest.get(FileStore);
    await Promise.all([store.sweep(), store.sweep()]);
    await expectNothing();
  });

  it('removes what a killed process left, and nothing that is kept, unfinished or of another environment', async () => {
    const store = app.app.nest.get(FileStore);
    await post(form({ title: 'kept', scan }));
    const [kept] = await stored();
    const put = () =>
      store.put({
        ownerId: 'u',
        mediaType: 'a/b',
        bytes: csv('a').stream(),
        signal: new AbortController().signal,
        forMs: 60_000,
      });
    const [left, running, removing] = [await put(), await put(), await put()];
    const age = (key: string, isRemoving: boolean) =>
      app.database.query(
        `UPDATE ops.files_to_remove SET remove_after = now() - interval '1 s', is_removing = ${isRemoving} WHERE key = '${key}'`,
      );
    await Promise.all([age(left, false), age(removing, true)]);
    await app.database.query(`INSERT INTO ops.files_to_remove VALUES ('production/x/y', '2020-01-01')`);
    await store.sweep();
    expect((await stored()).sort()).toEqual([kept, running.replaceAll('/', '~')].sort());
    expect(await listed()).toBe(2);
    await store.discard([running]);
  });

  it('stands in the document as a form and as a download', () => {
    const document = createOpenApi({ ...defineService(DocumentsModule), version: '1', prefix: '' }) as unknown as {
      paths: Record<
        string,
        Record<string, { requestBody: { content: Record<string, object> }; responses: Record<string, object> }>
      >;
    };
    const { requestBody, responses } = document.paths['/documents']!['post']!;
    expect(requestBody.content).toEqual({
      'multipart/form-data': {
        schema: expect.objectContaining({
          type: 'object',
          additionalProperties: false,
          required: ['title', 'scan'],
          properties: {
            title: { type: 'string', minLength: 1, maxLength: 20 },
            pages: expect.anything(),
            scan: {
              type: 'string',
              format: 'binary',
              description: 'At most 1000000 bytes of application/pdf or image/png, judged by the content.',
            },
            table: expect.objectContaining({ format: 'binary' }),
          },
        }),
        encoding: { scan: { contentType: 'application/pdf, image/png' }, table: { contentType: 'text/csv' } },
      },
    });
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['201', '401', '413', '415', '422', '429', '503']));
    expect(document.paths['/documents/{id}/content']!['get']!.responses['200']).toMatchObject({
      content: { '*/*': { schema: { type: 'string', format: 'binary' } } },
    });
  });
});

describe('an app with a route that takes files', () => {
  const app = useTestApp(defineService(EmptyModule));
  const create = (module: Type, storage?: Config['storage']) => {
    const { config, logger, lifecycle, version } = app;
    return createApp({ ...config, storage }, { definition: defineService(module), logger, lifecycle, version });
  };

  it('does not start without a storage', async () => {
    await expect(create(DocumentsModule)).rejects.toThrow(
      'POST /api/v1/documents: has files, but STORAGE_URL is not set; expected a folder or a bucket\n  set STORAGE_URL',
    );
  });

  it.each([
    ['a public route', PublicModule, 'takes files of callers without a token'],
    ['a route that reads', ReadingModule, 'takes files; expected POST or PUT'],
  ])('does not start with files at %s', async (_, module, problem) => {
    await expect(create(module, { kind: 'folder', path: folder })).rejects.toThrow(problem);
  });

  it.each([
    ['of another environment', '{"environment":"production"}', 'is stamped production; expected the stamp testing'],
    ['that is not stamped', undefined, 'holds objects and no stamp'],
  ])('does not serve with a folder %s', async (_, stamp, problem) => {
    const path = mkdtempSync(join(tmpdir(), 'airlock-files-'));
    await writeFile(join(path, stamp ? 'airlock-environment.json' : 'mine'), stamp ?? '');
    const { nest, health } = await create(DocumentsModule, { kind: 'folder', path });
    const open = openFiles(nest.get(FileStore), app.logger);
    const error: unknown = await open.catch((caught: unknown) => caught);
    expect(findRefusal(error, app.config)?.message).toContain(problem);
    expect(JSON.stringify(await health.detail())).toMatch(/"storage[^}]*"status":"warn"/);
    await Promise.all([nest.close(), rm(path, { recursive: true })]);
  });

  it('serves other routes while the storage is unavailable', async () => {
    const secretKey = new Secret('x');
    const server = {
      host: '127.0.0.1',
      port: 1,
      hasTls: false,
      accessKey: 'k',
      secretKey,
      bucket: 'files',
      region: 'a',
    };
    const { nest } = await create(DocumentsModule, { kind: 'bucket', ...server });
    const lines = app.lines.length;
    await openFiles(nest.get(FileStore), app.logger);
    expect(app.lines.slice(lines)).toEqual([expect.objectContaining({ event: 'storage.unavailable' })]);
    await nest.close();
  });
});
