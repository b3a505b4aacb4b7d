import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseImageReference, readImage, tagImage } from '@airlock/deploy/testing';
import { openLab, type Lab } from './lab.js';
import { docker } from './run.js';

const COMMIT = 'c'.repeat(40);

let lab: Lab;
let image: string;

beforeAll(async () => {
  lab = await openLab();
  image = await lab.build({ commit: COMMIT });
});
afterAll(() => lab.close());

describe('a registry', () => {
  it('tells the commit of an image, and of an index of images', async () => {
    const index = `${nameOf(image)}:index`;
    await docker.run(['buildx', 'imagetools', 'create', '--prefer-index=true', '--tag', index, image]);
    const { digest } = (await readImage(docker, index)) ?? {};
    expect(digest).not.toBe(parseImageReference(image).digest);
    for (const name of [image, index]) {
      const held = await readImage(docker, name);
      expect(held?.labels['org.opencontainers.image.revision']).toBe(COMMIT);
    }
    await tagImage(docker, parseImageReference(`${nameOf(image)}@${digest ?? ''}`), 'copy');
    expect((await readImage(docker, `${nameOf(image)}:copy`))?.digest).toBe(digest);
  });

  it('gives an image one more name without changing a byte', async () => {
    await tagImage(docker, parseImageReference(image), 'v1.0.0');
    expect(`${nameOf(image)}@${(await readImage(docker, `${nameOf(image)}:v1.0.0`))?.digest ?? ''}`).toBe(image);
  });

  it('does not hold what was never pushed, which is another thing than one that does not answer', async () => {
    expect(await readImage(docker, `${nameOf(image)}@sha256:${'f'.repeat(64)}`)).toBeUndefined();
    expect(await readImage(docker, `${lab.registry}/never-pushed:latest`)).toBeUndefined();
    await expect(readImage(docker, '127.0.0.1:1/airlock:latest')).rejects.toThrow(
      'registry: no response for 127.0.0.1:1/airlock:latest',
    );
  });

  it('is not believed when its bytes have another digest', async () => {
    const liar = await startLiar();
    const name = `127.0.0.1:${(liar.address() as AddressInfo).port}/airlock@sha256:${'a'.repeat(64)}`;
    await expect(readImage(docker, name)).rejects.toThrow(`registry: no response for ${name}`);
    await new Promise((closed) => liar.close(closed));
  });
});

const nameOf = (name: string): string => name.split('@')[0] ?? '';

/** A registry with one manifest, which it gives for every digest. */
async function startLiar(): Promise<Server> {
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const body = JSON.stringify({ schemaVersion: 2, mediaType: type, config: {}, layers: [] });
  const server = createServer((request, response) => {
    const digest = request.url?.split('/').at(-1) ?? '';
    const headers = { 'content-type': type, 'content-length': body.length, 'docker-content-digest': digest };
    response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
}
