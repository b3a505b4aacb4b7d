import { deploy } from './deploy.js';
import type { ChangeRequest } from './course.js';
import { createDocker } from './docker.js';
import { parseImageReference, type ImageReference } from './image-reference.js';
import { DeployError, EXIT } from './problem.js';
import { loadJournal } from './journal.js';
import { loadReleases, type DeploymentRecord } from './record.js';
import { createRegistryClient, missing, type RegistryClient } from './registry/client.js';
import { loadCredentials } from './registry/credentials.js';
import { resolveCommit } from './git.js';

export interface PromoteRequest extends Omit<ChangeRequest, 'action' | 'image' | 'finish'> {
  /** What the person typed. */
  readonly confirm: string;
  /** Left out: what staging runs now. */
  readonly digest: string | undefined;
  /** vX.Y.Z: the commit of this tag must be the one that the image was built from, and the image gets the name. */
  readonly release: string | undefined;
  readonly from: {
    readonly stackName: string;
    readonly context: string | undefined;
    readonly recordFile: string | undefined;
  };
}

/** Brings to production the very bytes that staging ran. Nothing is built. */
export async function promote(request: PromoteRequest): Promise<DeploymentRecord> {
  const { digest, release, progress } = request;
  assertConfirmed(request.confirm);
  const records = await loadStagingRecords(request.from);
  const staged = findStaged(records, digest);
  const image = parseImageReference(staged.image);
  const registry = createRegistryClient(image.registry, await loadCredentials(image.registry));
  progress.step(`look at ${image.digest}, which staging ran until ${staged.finishedAt}`);
  await assertStillThere(registry, image, staged);
  if (release !== undefined) await assertReleaseCommit(registry, image, release);
  return deploy({ ...request, action: 'promote', image, finish: () => tagEverywhere(registry, image, request) });
}

export function assertConfirmed(typed: string): void {
  if (typed === 'PROMOTE') return;
  throw new DeployError({
    text: `confirmation: ${JSON.stringify(typed)}; expected PROMOTE`,
    mend: 'nothing was changed; type PROMOTE, or give --confirm PROMOTE',
    exitCode: EXIT.refused,
  });
}

/** Only a digest whose last word in staging's record is: served, migrated, smoke passed. */
export function findStaged(records: readonly DeploymentRecord[], digest: string | undefined): DeploymentRecord {
  const ofStaging = records.filter(({ environment }) => environment === 'staging');
  const wanted = digest ?? ofStaging.findLast(({ outcome }) => outcome === 'succeeded')?.digest;
  const last = ofStaging.findLast((record) => record.digest === wanted);
  const lacks = last ? whatIsMissing(last) : ['staging never ran it'];
  if (last && lacks.length === 0) return last;
  throw new DeployError({
    text: `promote: ${wanted ?? 'no digest'}: ${lacks.join(', ')}; expected one that staging ran, migrated and smoke-tested`,
    mend: `deploy it there first: airlock deploy staging IMAGE@${wanted ?? 'sha256:…'} --url URL`,
  });
}

function whatIsMissing({ outcome, migrated, smoke }: DeploymentRecord): string[] {
  return [
    outcome === 'succeeded' ? '' : `its deploy ended ${outcome}`,
    migrated ? '' : 'its migrations did not run',
    smoke === 'passed' ? '' : `its smoke suite is ${smoke}`,
  ].filter((text) => text !== '');
}

async function loadStagingRecords(from: PromoteRequest['from']): Promise<DeploymentRecord[]> {
  if (from.recordFile !== undefined) return loadJournal(from.recordFile);
  return (await loadReleases(createDocker(from.context), from.stackName)).map(({ record }) => record);
}

async function assertStillThere(
  registry: RegistryClient,
  image: ImageReference,
  staged: DeploymentRecord,
): Promise<void> {
  if ((await registry.readManifest(image.repository, image.digest)) === undefined) throw missing(image);
  const commit = (await registry.readLabels(image))['org.opencontainers.image.revision'] ?? null;
  if (commit === staged.commit) return;
  throw new DeployError({
    text: `promote: the image says commit ${commit ?? 'none'}, staging's record says ${staged.commit ?? 'none'}; expected the same`,
    mend: 'do not promote before it is known why',
  });
}

async function assertReleaseCommit(registry: RegistryClient, image: ImageReference, release: string): Promise<void> {
  if (!/^v\d+\.\d+\.\d+$/.test(release)) {
    const text = `--release: ${JSON.stringify(release)} is no release; expected vX.Y.Z`;
    throw new DeployError({ text, mend: 'name the tag of the release', exitCode: EXIT.usage });
  }
  const revision = (await registry.readLabels(image))['org.opencontainers.image.revision'];
  const commit = await resolveCommit(release);
  if (revision === commit) return;
  throw new DeployError({
    text: `${release}: is commit ${commit}, the image was built from ${revision ?? 'an unknown one'}; expected the same`,
    mend: `tag what staging ran: git tag ${release} ${revision ?? 'COMMIT'}`,
  });
}

async function tagEverywhere(
  registry: RegistryClient,
  image: ImageReference,
  { settings, progress, release }: PromoteRequest,
): Promise<void> {
  const tags = [settings.environment, ...(release === undefined ? [] : [release, 'latest'])];
  for (const tag of tags) {
    await registry.tag(image, tag);
    progress.note(`${image.repository}:${tag} is ${image.digest}`);
  }
}
