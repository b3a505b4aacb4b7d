import { createHash } from 'node:crypto';
import { DeployError } from '../engine/deploy-error.js';
import { isDigest, type ImageReference } from '../engine/image-reference.js';
import { createFetch, RegistryUnavailable, type RegistryFetch } from './authorised-fetch.js';
import type { Credentials } from './registry-credentials.js';

export interface RegistryManifest {
  readonly digest: string;
  readonly mediaType: string;
  /** The exact bytes of the registry: the digest is computed from them, so a new tag must get them unchanged. */
  readonly bytes: Uint8Array;
}

interface ManifestBody {
  readonly mediaType?: string;
  readonly config?: { readonly digest: string };
  readonly manifests?: readonly {
    readonly digest: string;
    readonly platform?: { readonly os: string; readonly architecture: string };
  }[];
}

export interface RegistryClient {
  /** By tag or digest; undefined if the registry has no such manifest. */
  readManifest(repository: string, reference: string): Promise<RegistryManifest | undefined>;
  /** The labels of the image, such as org.opencontainers.image.revision. */
  readLabels(image: ImageReference): Promise<Readonly<Record<string, string>>>;
  /** Adds a tag to a manifest and checks that the tag has its digest. */
  tag(image: ImageReference, tag: string): Promise<void>;
}

const MEDIA_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

export function createRegistryClient(registry: string, credentials?: Credentials): RegistryClient {
  const fetchFrom = createFetch(registry, credentials);
  const readManifest = (repository: string, reference: string) => fetchManifest(fetchFrom, repository, reference);
  return {
    readManifest,
    readLabels: (image) => readLabels(fetchFrom, image),
    tag: (image, tag) => addTag(fetchFrom, image, tag),
  };
}

async function fetchManifest(
  fetchFrom: RegistryFetch,
  repository: string,
  reference: string,
): Promise<RegistryManifest | undefined> {
  const response = await fetchFrom(`/v2/${repository}/manifests/${reference}`, {
    headers: { accept: MEDIA_TYPES.join(', ') },
  });
  if (response.status === 404) return undefined;
  assertOk(response, `${repository}:${reference}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (isDigest(reference) && digest !== reference) {
    throw new DeployError({
      text: `registry: returned ${digest} for ${reference}; expected the requested digest`,
      fix: 'do not deploy from this registry until the cause is known',
    });
  }
  return { digest, bytes, mediaType: response.headers.get('content-type') ?? MEDIA_TYPES[1]! };
}

async function readLabels(fetchFrom: RegistryFetch, image: ImageReference): Promise<Readonly<Record<string, string>>> {
  const config = await findConfig(fetchFrom, image.repository, image.digest);
  const response = await fetchFrom(`/v2/${image.repository}/blobs/${config}`, {});
  assertOk(response, image.name);
  const { config: inner } = (await response.json()) as { config?: { Labels?: Record<string, string> } };
  return inner?.Labels ?? {};
}

/**
 * An index lists one image for each platform, and attestations, whose platform is "unknown". All have the same labels.
 */
async function findConfig(fetchFrom: RegistryFetch, repository: string, digest: string): Promise<string> {
  const manifest = await fetchManifest(fetchFrom, repository, digest);
  const body = manifest && (JSON.parse(Buffer.from(manifest.bytes).toString('utf8')) as ManifestBody);
  if (body?.config) return body.config.digest;
  const inner = body?.manifests?.find(({ platform }) => platform === undefined || platform.os !== 'unknown');
  if (inner) return findConfig(fetchFrom, repository, inner.digest);
  throw new DeployError({
    text: `registry: does not have the image ${repository}@${digest}; expected one that was built and pushed`,
    fix: 'list its images: docker buildx imagetools inspect',
  });
}

async function addTag(fetchFrom: RegistryFetch, image: ImageReference, tag: string): Promise<void> {
  const manifest = await fetchManifest(fetchFrom, image.repository, image.digest);
  if (manifest === undefined) throw missing(image);
  const response = await fetchFrom(`/v2/${image.repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': manifest.mediaType },
    body: Buffer.from(manifest.bytes),
  });
  assertOk(response, `${image.repository}:${tag}`);
  const after = await fetchManifest(fetchFrom, image.repository, tag);
  if (after?.digest === image.digest) return;
  throw new DeployError({
    text: `registry: the tag ${tag} points to ${after?.digest ?? 'nothing'}; expected ${image.digest}`,
    fix: 'another client moved the tag at the same time; promote again',
  });
}

export function missing(image: ImageReference): DeployError {
  return new DeployError({
    text: `registry: does not have ${image.name}; expected an image that was built and pushed`,
    fix: 'push it, or choose a digest from airlock status that the registry still has',
  });
}

function assertOk(response: Response, what: string): void {
  if (response.ok) return;
  throw new (response.status >= 500 ? RegistryUnavailable : DeployError)({
    text: `registry: returned ${response.status} for ${what}; expected 200`,
    fix:
      response.status === 401 || response.status === 403
        ? 'log in: docker login'
        : 'try again, or read the log of the registry',
  });
}
