import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Docker } from '@airlock/deploy/testing';

export interface EdgeImages {
  readonly TRAEFIK_IMAGE: string;
  readonly SOCKET_PROXY_IMAGE: string;
}

const PULL_MS = 180_000;

/** The images that docker/pin-images names, if this engine has them or can pull them. */
export async function findEdgeImages(docker: Docker, workspace: string): Promise<EdgeImages | undefined> {
  const names = await readFile(join(workspace, 'docker/pin-images'), 'utf8');
  const nameOf = (key: keyof EdgeImages) => new RegExp(`^ *${key}=(\\S+)$`, 'm').exec(names)?.[1] ?? '';
  const images = { TRAEFIK_IMAGE: nameOf('TRAEFIK_IMAGE'), SOCKET_PROXY_IMAGE: nameOf('SOCKET_PROXY_IMAGE') };
  for (const image of Object.values(images)) {
    if ((await docker.attempt(['image', 'inspect', image])).status === 0) continue;
    if ((await docker.attempt(['pull', '--quiet', image], { timeoutMs: PULL_MS })).status !== 0) return undefined;
  }
  return images;
}

export const NO_EDGE =
  'the suites through the real edge: skipped, because this engine has no image of Traefik and cannot pull one';
