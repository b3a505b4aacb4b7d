import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Secret } from '@airlock/config';
import { parseImageReference } from '../engine/image-reference.js';
import { createRegistryClient } from './registry-client.js';

// A registry that misbehaves on request; the real one is in the suites (`make test-deploy`).
const config = JSON.stringify({ config: { Labels: { 'org.opencontainers.image.revision': 'c0ffee' } } });
const manifest = `{ "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": { "digest": "sha256:cfg" } }`;
const digest = sha256(manifest);
const index = JSON.stringify({
  manifests: [
    { digest: 'sha256:none', platform: { os: 'unknown', architecture: 'unknown' } },
    { digest, platform: { os: 'linux', architecture: 'amd64' } },
  ],
});

let server: Server;
let host: string;
let manifests: Record<string, string>;
let faults: { lies?: boolean; renames?: boolean; token?: boolean };
let seen: string[];

beforeEach(async () => {
  manifests = { [digest]: manifest, [sha256(index)]: index };
  faults = {};
  seen = [];
  server = createServer((request, response) => {
    void answer(request).then(({ status, body, headers }) => response.writeHead(status, headers).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
});

describe('createRegistryClient', () => {
  it('reads the labels of an image and of an index of images', async () => {
    const client = createRegistryClient(host);
    for (const one of [digest, sha256(index)]) {
      expect(await client.readLabels(parseImageReference(`${host}/airlock@${one}`))).toEqual({
        'org.opencontainers.image.revision': 'c0ffee',
      });
    }
  });

  it('adds a tag to a manifest without changing a byte', async () => {
    await createRegistryClient(host).tag(parseImageReference(`${host}/airlock@${digest}`), 'v1.0.0');
    expect(manifests['v1.0.0']).toBe(manifest);
  });

  it('rejects a response whose bytes have another digest', async () => {
    faults.lies = true;
    await expect(createRegistryClient(host).readManifest('airlock', digest)).rejects.toThrow(`for ${digest}`);
  });

  it('reports a new tag that does not have the digest', async () => {
    faults.renames = true;
    const image = parseImageReference(`${host}/airlock@${digest}`);
    await expect(createRegistryClient(host).tag(image, 'v1.0.0')).rejects.toThrow(`expected ${digest}`);
  });

  it('distinguishes between a missing image and an unreachable registry', async () => {
    const client = createRegistryClient(host);
    expect(await client.readManifest('airlock', `sha256:${'f'.repeat(64)}`)).toBeUndefined();
    await expect(createRegistryClient('127.0.0.1:1').readManifest('airlock', digest)).rejects.toThrow(
      'registry: 127.0.0.1:1 does not respond',
    );
  });

  it('fetches a token with the credentials when the registry requires one, and never sends the credentials elsewhere', async () => {
    faults.token = true;
    const client = createRegistryClient(host, { user: 'ana', password: new Secret('s3cret') });
    expect((await client.readManifest('airlock', digest))?.digest).toBe(digest);
    expect(seen).toEqual(['', 'Basic YW5hOnMzY3JldA==', 'Bearer granted']);
  });
});

async function answer(request: IncomingMessage) {
  const url = new URL(request.url ?? '', 'http://registry');
  const plain = (status: number, body: string) => ({ status, body, headers: {} });
  if (faults.token) {
    seen.push(request.headers.authorization ?? '');
    if (url.pathname === '/token') return plain(200, JSON.stringify({ token: 'granted' }));
    if (request.headers.authorization !== 'Bearer granted') {
      const challenge = `Bearer realm="http://${host}/token",service="registry",scope="repository:airlock:pull"`;
      return { status: 401, body: '', headers: { 'www-authenticate': challenge } };
    }
  }
  const reference = url.pathname.split('/').at(-1) ?? '';
  if (url.pathname.includes('/blobs/')) return plain(200, config);
  if (request.method === 'PUT') {
    let body = '';
    for await (const part of request) body += String(part);
    manifests[reference] = faults.renames ? index : body;
    return plain(201, '');
  }
  const found = manifests[reference];
  if (found === undefined) return plain(404, '{}');
  return { status: 200, body: faults.lies ? index : found, headers: { 'content-type': 'application/json' } };
}

function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
