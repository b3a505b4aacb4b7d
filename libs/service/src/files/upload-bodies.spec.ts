import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { form, scan, useFilesWorld, whole } from './files-world.fixture.js';

/** Written to sockets: the whole request, or less. */
describe('the body of an upload', () => {
  const { at, listed, expectNothing, post, send } = useFilesWorld();

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
    const headers = { authorization: `Bearer ${at.other}` };
    expect((await post(form({ title: 'a', scan }), headers)).status).toBe(201);
    for (const { socket } of open) socket.destroy();
    await sleep(200);
    expect((await post(form({ title: 'a', scan }))).status).toBe(201);
  });
});
