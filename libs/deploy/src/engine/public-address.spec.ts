import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { findPublicProblem } from './public-address.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await once(server.close(), 'close');
});

async function listen(server: Server): Promise<number> {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function serve(readyz: number, version: string, status = 200): RequestListener {
  return (request, response) => {
    const isReadyz = request.url === '/readyz';
    response.writeHead(isReadyz ? readyz : status, { connection: 'close' }).end(isReadyz ? '{}' : version);
  };
}

const ask = (url: string, more: { limitMs?: number; verifiesCertificate?: boolean } = {}) =>
  findPublicProblem({ url, digest: DIGEST, limitMs: 0, verifiesCertificate: true, ...more });

describe('the public address', () => {
  it.each<[string, RequestListener, string | undefined]>([
    ['is ready with the digest', serve(200, JSON.stringify({ digest: DIGEST })), undefined],
    ['returns another release', serve(200, JSON.stringify({ digest: OTHER })), `/version returns ${OTHER}`],
    ['has no route to a replica', serve(404, '404 page not found\n', 404), '/readyz returns 404'],
    ['has no replica that is ready', serve(503, 'no available server\n', 503), '/readyz returns 503'],
    ['returns its own page', serve(200, '<html>welcome</html>'), '/version returns no digest (status 200)'],
    ['redirects', serve(301, '', 301), '/readyz returns 301'],
  ])('%s', async (_case, listener, problem) => {
    const port = await listen(createServer(listener));
    expect(await ask(`http://127.0.0.1:${port}`)).toBe(problem);
  });

  it('does not listen', async () => {
    const port = await listen(createServer());
    await once(servers.splice(0)[0]?.close() as Server, 'close');
    expect(await ask(`http://127.0.0.1:${port}`)).toBe('no response (ECONNREFUSED)');
  });

  it('hangs up', async () => {
    const port = await listen(createServer((request) => request.socket.destroy()));
    expect(await ask(`http://127.0.0.1:${port}`)).toBe('no response (ECONNRESET)');
  });

  it('is polled until it is ready, because an edge needs a moment to see a new replica', async () => {
    let asked = 0;
    const listener: RequestListener = (request, response) =>
      serve(++asked > 1 ? 200 : 404, JSON.stringify({ digest: DIGEST }))(request, response);
    const port = await listen(createServer(listener));
    expect(await ask(`http://127.0.0.1:${port}`, { limitMs: 30_000 })).toBeUndefined();
  });

  it('resolves names under localhost without DNS, and verifies the certificate unless told not to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'public-address-'));
    try {
      const [key, certificate] = ['key', 'certificate'].map((name) => join(folder, name)) as [string, string];
      const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
      execFileSync('openssl', ['req', ...kind, '-subj', '/CN=x', '-keyout', key, '-out', certificate], {
        stdio: 'pipe',
      });
      const pair = { key: readFileSync(key), cert: readFileSync(certificate) };
      const names: (string | false | undefined)[] = [];
      const listener: RequestListener = (request, response) => {
        names.push(request.headers.host);
        serve(200, JSON.stringify({ digest: DIGEST }))(request, response);
      };
      const port = await listen(createTlsServer(pair, listener));
      const url = `https://pr-42.preview.localhost:${port}`;
      expect(await ask(url, { verifiesCertificate: false })).toBeUndefined();
      expect(names).toEqual([`pr-42.preview.localhost:${port}`, `pr-42.preview.localhost:${port}`]);
      expect(await ask(url)).toBe('no response (DEPTH_ZERO_SELF_SIGNED_CERT)');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
