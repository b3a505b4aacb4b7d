import { traitsOf } from '@airlock/config';
import { deployImage, readCommit } from './deploy-image.js';
import type { ChangeRequest } from './deploy-run.js';
import { createDocker, type Docker } from '../engine/docker.js';
import { parseImageReference, type ImageReference } from '../engine/image-reference.js';
import { DeployError, EXIT } from '../engine/deploy-error.js';
import { loadJournal } from '../release/deployment-journal.js';
import { loadReleases, type DeploymentRecord } from '../release/release-record.js';
import { tagImage } from '../registry/image-registry.js';
import { isRelease, listReleases, resolveCommit } from '../engine/git.js';

export interface PromoteRequest extends Omit<ChangeRequest, 'action' | 'image' | 'finish'> {
  /** What the person typed. */
  readonly confirm: string;
  /** Left out: what staging runs now. */
  readonly digest: string | undefined;
  /** vX.Y.Z: the commit of this tag must be the one that the image was built from. Left out: the one that is there. */
  readonly release: string | undefined;
  readonly from: {
    readonly stackName: string;
    readonly context: string | undefined;
    readonly recordFile: string | undefined;
  };
}

/** Brings to one environment the very bytes that another ran. Nothing is built. */
export async function promoteImage(request: PromoteRequest): Promise<DeploymentRecord> {
  const { digest, progress } = request;
  assertConfirmed(request.confirm);
  const records = await loadStagingRecords(request.from);
  const staged = findStaged(records, digest);
  const image = parseImageReference(staged.image);
  const docker = createDocker(request.settings.context);
  progress.step(`look at ${image.digest}, which staging ran until ${staged.finishedAt}`);
  await assertStillThere(docker, image, staged);
  const release = await findReleaseTag(request.release, staged.commit);
  progress.note(`${release} is ${staged.commit}, which ${image.digest} was built from`);
  const tags = [request.settings.environment, release, 'latest'];
  return deployImage({
    ...request,
    action: 'promote',
    image,
    finish: () => giveTags(docker, image, { tags, progress }),
  });
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
  const ofStaging = records.filter(({ environment }) => traitsOf(environment).takesBuilds);
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

async function assertStillThere(docker: Docker, image: ImageReference, staged: DeploymentRecord): Promise<void> {
  const commit = await readCommit(docker, image);
  if (commit === staged.commit) return;
  throw new DeployError({
    text: `promote: the image says commit ${commit ?? 'none'}, staging's record says ${staged.commit ?? 'none'}; expected the same`,
    mend: 'do not promote before it is known why',
  });
}

/** The release that the image is, by the tags of this repository: what was merged, tested and named, and nothing else. */
export async function findReleaseTag(named: string | undefined, commit: string | null): Promise<string> {
  if (named !== undefined && !isRelease(named)) {
    const text = `--release: ${JSON.stringify(named)} is no release; expected vX.Y.Z`;
    throw new DeployError({ text, mend: 'name the tag of the release', exitCode: EXIT.usage });
  }
  const mend = `tag what staging ran: git tag ${named ?? 'vX.Y.Z'} ${commit ?? 'COMMIT'}`;
  if (named === undefined) {
    const [release] = commit === null ? [] : await listReleases(commit);
    if (release !== undefined) return release;
    const text = `release: no tag vX.Y.Z is at ${commit ?? 'an unknown commit'}, which the image was built from; expected one`;
    throw new DeployError({ text, mend });
  }
  const tagged = await resolveCommit(named);
  if (tagged === commit) return named;
  const text = `${named}: is commit ${tagged}, the image was built from ${commit ?? 'an unknown one'}; expected the same`;
  throw new DeployError({ text, mend });
}

async function giveTags(
  docker: Docker,
  image: ImageReference,
  { tags, progress }: { tags: readonly string[]; progress: PromoteRequest['progress'] },
): Promise<void> {
  for (const tag of tags) {
    await tagImage(docker, image, tag);
    progress.note(`${image.repository}:${tag} is ${image.digest}`);
  }
}
