import { DeployError, EXIT } from './deploy-error.js';

/** An image that cannot change: a repository and the digest of one manifest in it. */
export interface ImageReference {
  readonly registry: string;
  readonly repository: string;
  readonly digest: string;
  /** As engines write it: registry/repository@digest. */
  readonly name: string;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const REPOSITORY = /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/;

/** Accepts REGISTRY/REPOSITORY@sha256:… and nothing else: a tag can be moved to another image. */
export function parseImageReference(text: string): ImageReference {
  const [, registry = '', repository = '', digest = ''] = /^([^/@]+)\/([^@]+)@([^@]+)$/.exec(text) ?? [];
  const isHost = /^(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:))(?::\d{1,5})?$/.test(registry);
  if (!isHost || !REPOSITORY.test(repository) || !isDigest(digest)) {
    throw new DeployError({
      text: `IMAGE: ${JSON.stringify(text)} does not name an image by digest; expected registry.example.com/airlock@sha256:<64 hexadecimal digits>`,
      fix: 'find the digest: docker buildx imagetools inspect REGISTRY/REPOSITORY:TAG',
      exitCode: EXIT.usage,
    });
  }
  return { registry, repository, digest, name: text };
}

export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** The digest of an image as an engine reports it, or undefined if the image is named by tag only. */
export function digestOf(image: string): string | undefined {
  const digest = image.split('@')[1];
  return digest !== undefined && isDigest(digest) ? digest : undefined;
}
