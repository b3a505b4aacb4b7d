import { DeployError } from '../engine/deploy-error.js';
import type { Docker } from '../engine/docker.js';
import type { ImageReference } from '../engine/image-reference.js';

/** The registry did not answer the question: what it holds is not known. */
export class RegistryUnavailable extends DeployError {}

export interface RegistryImage {
  readonly digest: string;
  /** Those of the image's configuration, such as org.opencontainers.image.revision. */
  readonly labels: Readonly<Record<string, string>>;
}

interface Inspected {
  readonly manifest: { readonly digest: string };
  /** Of an index with several platforms, an object by platform: all carry the same labels. Null if it is not an image. */
  readonly image?: ImageConfig | Readonly<Record<string, ImageConfig>> | null;
}

interface ImageConfig {
  readonly config?: { readonly Labels?: Readonly<Record<string, string>> };
}

/**
 * `docker buildx imagetools`, with the logins of `docker login`; the engine is not asked.
 *
 * @param name with a tag or a digest
 * @returns undefined where the registry does not hold the image
 * @throws RegistryUnavailable
 */
export async function readImage(docker: Docker, name: string): Promise<RegistryImage | undefined> {
  const { status, stdout, stderr } = await docker.attempt([...IMAGETOOLS, 'inspect', '--format', '{{json .}}', name]);
  if (status === 0) {
    const image = parseImage(stdout);
    if (image) return image;
    throw unavailable(name, stderr || 'the output of docker buildx is not complete');
  }
  if (/^error: .*: not found\s*$/im.test(stderr)) return undefined;
  throw unavailable(name, stderr);
}

/** Gives an image one more tag, byte for byte, and proves that the tag names its digest. */
export async function tagImage(docker: Docker, image: ImageReference, tag: string): Promise<void> {
  const name = `${image.registry}/${image.repository}:${tag}`;
  const words = [...IMAGETOOLS, 'create', '--progress=plain', '--prefer-index=false', '--tag', name, image.name];
  const { status, stderr } = await docker.attempt(words);
  if (status !== 0) throw unavailable(name, stderr);
  const tagged = await readImage(docker, name);
  if (tagged?.digest === image.digest) return;
  throw new DeployError({
    text: `registry: the tag ${tag} points to ${tagged?.digest ?? 'nothing'}; expected ${image.digest}`,
    fix: 'another client moved the tag at the same time; promote again',
  });
}

export function missing(image: ImageReference): DeployError {
  return new DeployError({
    text: `registry: does not have ${image.name}; expected an image that was built and pushed`,
    fix: 'push it, or choose a digest from airlock status that the registry still has',
  });
}

const IMAGETOOLS = ['buildx', 'imagetools'];

/** Undefined if the output is not complete. */
function parseImage(text: string): RegistryImage | undefined {
  try {
    const { manifest, image } = JSON.parse(text) as Inspected;
    const configs = image && 'config' in image ? [image as ImageConfig] : (Object.values(image ?? {}) as ImageConfig[]);
    return { digest: manifest.digest, labels: configs[0]?.config?.Labels ?? {} };
  } catch {
    return undefined;
  }
}

function unavailable(name: string, stderr: string): RegistryUnavailable {
  if (/not a docker command|unknown command: docker buildx/.test(stderr)) {
    return new RegistryUnavailable({
      text: `registry: no response for ${name}: docker has no command buildx; expected its plugin`,
      fix: 'install the package docker-buildx-plugin of Docker, or docker-buildx of the system',
    });
  }
  const lines = stderr.trim().split('\n');
  const said = (lines.findLast((line) => line.startsWith('ERROR: ')) ?? lines.at(-1) ?? '').replace(/^ERROR: /, '');
  return new RegistryUnavailable({
    text: `registry: no response for ${name}: ${said}`,
    fix: `check its address and the network, then: docker login ${name.split('/')[0] ?? ''}`,
  });
}
