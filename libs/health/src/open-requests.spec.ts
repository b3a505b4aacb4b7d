import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { OpenRequests } from './open-requests.js';

describe('OpenRequests', () => {
  it('counts a request until its response is complete', async () => {
    let finish = () => {};
    const server = createServer((_, response) => (finish = () => response.end('done')));
    const requests = new OpenRequests(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const answered = new Promise((resolve) =>
      get({ port, host: '127.0.0.1', agent: false }, (r) => r.resume().on('end', resolve)),
    );
    await new Promise((resolve) => server.once('request', resolve));
    expect(requests.count).toBe(1);
    const none = requests.whenNone();
    finish();
    await Promise.all([none, answered]);
    expect(requests.count).toBe(0);
    await new Promise((resolve) => server.close(resolve));
  });
});
