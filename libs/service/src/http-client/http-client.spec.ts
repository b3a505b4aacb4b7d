import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RequestContext, runInContext } from '../context/request-context.js';
import { HttpClient, readBody } from './http-client.js';

describe('HttpClient', () => {
  let server: Server;
  let url: string;
  let seen: IncomingMessage[];
  let answers: number[];
  let body = '';

  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(request);
      const status = answers.shift();
      if (status === undefined) return; // never respond
      response.writeHead(status, { connection: 'close' }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    seen = [];
    answers = [];
    body = '';
  });

  const client = new HttpClient({ timeoutMs: 2_000, maxRetries: 2, baseDelayMs: 1 });

  it.each(['GET', 'PUT', 'DELETE'])('retries %s until it gets a response', async (method) => {
    answers = [503, 502, 200];
    expect((await client.fetch(url, { method })).status).toBe(200);
    expect(seen).toHaveLength(3);
  });

  it.each(['POST', 'PATCH'])('sends %s once, because it may have been processed', async (method) => {
    answers = [503, 200];
    expect((await client.fetch(url, { method })).status).toBe(503);
    expect(seen).toHaveLength(1);
  });

  it('returns the last response when the retries are used up', async () => {
    answers = [503, 503, 503, 200];
    expect((await client.fetch(url)).status).toBe(503);
    expect(seen).toHaveLength(3);
  });

  it.each([400, 401, 404, 500])('does not retry after status %s', async (status) => {
    answers = [status];
    expect((await client.fetch(url)).status).toBe(status);
    expect(seen).toHaveLength(1);
  });

  it('ends at the time limit, including all retries', async () => {
    // Long enough for the request to arrive on a busy machine. A later request would be counted by the next test.
    const hasty = new HttpClient({ timeoutMs: 1_000, maxRetries: 5, baseDelayMs: 1 });
    await expect(hasty.fetch(url)).rejects.toThrow(`${new URL(url).origin}: did not respond`);
    expect(seen).toHaveLength(1);
  });

  it('reads a body up to the limit, and rejects a longer one', async () => {
    answers = [200, 200];
    body = 'ä'.repeat(50);
    expect(await readBody(await client.fetch(url), 100)).toBe(body);
    await expect(client.fetch(url).then((response) => readBody(response, 99))).rejects.toThrow('more than 99 bytes');
  });

  it('passes the ids of the request on', async () => {
    answers = [200];
    const context = new RequestContext({ 'x-request-id': 'request-1234', 'x-correlation-id': 'journey-1234' });
    await new Promise<void>((resolve, reject) => {
      runInContext(context, () => void client.fetch(url).then(() => resolve(), reject));
    });
    expect(seen[0]?.headers).toMatchObject({
      'x-request-id': 'request-1234',
      'x-correlation-id': 'journey-1234',
      traceparent: `00-${context.trace.traceId}-${context.trace.spanId}-00`,
    });
  });
});
