import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { faults, LARGEST, PDF, PNG } from './documents.fixture.js';
import { FileStore } from './file-store.js';
import { file, form, FORM, parts, scan, useFilesWorld } from './files-world.fixture.js';

const csv = (content: string | Uint8Array<ArrayBuffer>) => new Blob([content]);
const invalid = (...pointers: string[]) => ({ status: 422, pointers });

describe('a route that takes files', () => {
  const { app, at, stored, listed, rows, expectNothing, post } = useFilesWorld();

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
      fetch(`${at.url}/${String(body['id'])}/content`, { headers: { authorization: `Bearer ${bearer}` } });
    const response = await read(at.token);
    expect(Buffer.from(await response.arrayBuffer()).equals(PDF)).toBe(true);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/pdf',
      'content-length': String(PDF.length),
      'content-disposition': `attachment; filename="In_vo ice _.pdf"; filename*=UTF-8''In_vo%20ice%20%C3%BC.pdf`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
      'cache-control': 'no-store',
    });
    expect((await read(at.other)).status).toBe(404);
    expect((await read('x')).status).toBe(401);
  });

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

  it('removes the object of a file some time after its row, also by two processes at once', async () => {
    const { body } = await post(form({ title: 'a', scan }));
    const response = await fetch(`${at.url}/${String(body['id'])}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${at.token}` },
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
});
