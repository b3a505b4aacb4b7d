import { createHash } from 'node:crypto';
import { DeployError } from '../engine/deploy-error.js';
import { isDigest, type ImageReference } from '../engine/image-reference.js';
import { createFetch, RegistryAway, type RegistryFetch } from './authorised-fetch.js';
import type { Credentials } from './registry-credentials.js';

export interface RegistryManifest {
  readonly digest: string;
  readonly mediaType: string;
  /** Exactly what the registry holds: the digest is of these bytes, so a new tag must be given them unchanged. */
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
  /** By tag or digest; undefined where the registry has none. */
  readManifest(repository: string, reference: string): Promise<RegistryManifest | undefined>;
  /** The labels baked into the image, such as org.opencontainers.image.revision. */
  readLabels(image: ImageReference): Promise<Readonly<Record<string, string>>>;
  /** Gives a manifest one more name and proves that its digest stayed what it was. */
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
      text: `registry: answered ${digest} for ${reference}; expected what was asked for`,
      mend: 'do not deploy from this registry until it is known why',
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

/** An index names one image for each platform, and attestations, whose platform is unknown. All carry the same labels. */
async function findConfig(fetchFrom: RegistryFetch, repository: string, digest: string): Promise<string> {
  const manifest = await fetchManifest(fetchFrom, repository, digest);
  const body = manifest && (JSON.parse(Buffer.from(manifest.bytes).toString('utf8')) as ManifestBody);
  if (body?.config) return body.config.digest;
  const inner = body?.manifests?.find(({ platform }) => platform === undefined || platform.os !== 'unknown');
  if (inner) return findConfig(fetchFrom, repository, inner.digest);
  throw new DeployError({
    text: `registry: has no image ${repository}@${digest}; expected one that was built and pushed`,
    mend: 'see what it has: docker buildx imagetools inspect',
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
    text: `registry: ${tag} is now ${after?.digest ?? 'nothing'}; expected ${image.digest}`,
    mend: 'somebody else moved the tag; promote again',
  });
}

export function missing(image: ImageReference): DeployError {
  return new DeployError({
    text: `registry: ${image.name} is not there; expected an image that was built and pushed`,
    mend: 'push it, or choose a digest of airlock status that the registry kept',
  });
}

function assertOk(response: Response, what: string): void {
  if (response.ok) return;
  throw new (response.status >= 500 ? RegistryAway : DeployError)({
    text: `registry: answered ${response.status} for ${what}; expected 200`,
    mend: response.status === 401 || response.status === 403 ? 'log in: docker login' : 'try again, or see its log',
  });
}
