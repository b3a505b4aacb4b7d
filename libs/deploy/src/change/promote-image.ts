import { traitsOf } from '@airlock/config';
import { deployImage, readCommit } from './deploy-image.js';
import type { ChangeRequest } from './deploy-run.js';
import { createDocker, type Docker } from '../engine/docker.js';
import { parseImageReference, type ImageReference } from '../engine/image-reference.js';
import { DeployError, EXIT } from '../engine/deploy-error.js';
import { loadJournal } from '../release/deployment-journal.js';
import { assertRehearsed } from '../rollout/rehearsals.js';
import { loadReleases, type DeploymentRecord } from '../release/release-record.js';
import { tagImage } from '../registry/image-registry.js';
import { isRelease, listReleases, resolveCommit } from '../engine/git.js';

export interface PromoteRequest extends Omit<ChangeRequest, 'action' | 'image' | 'judge' | 'finish'> {
  /** The word that the user typed. */
  readonly confirm: string;
  /** Default: the digest that staging runs now. */
  readonly digest: string | undefined;
  /** vX.Y.Z: the image must have been built from the commit of this tag. Default: the tag at the image's commit. */
  readonly release: string | undefined;
  /** The oldest rows on which a pending migration may have been rehearsed. Default: no rehearsal is required. */
  readonly rehearsedWithinMs?: number | undefined;
  readonly from: {
    readonly stackName: string;
    readonly context: string | undefined;
    readonly recordFile: string | undefined;
  };
}

/** Deploys to one environment the same image that another one ran. Nothing is built. */
export async function promoteImage(request: PromoteRequest): Promise<DeploymentRecord> {
  const { digest, progress, rehearsedWithinMs } = request;
  assertConfirmed(request.confirm);
  const records = await loadStagingRecords(request.from);
  const staged = findStaged(records, digest);
  const image = parseImageReference(staged.image);
  const docker = createDocker(request.settings.context);
  progress.step(`check ${image.digest}, deployed to staging at ${staged.finishedAt}`);
  await assertStillThere(docker, image, staged);
  const release = await findReleaseTag(request.release, staged.commit);
  progress.note(`${image.digest} was built from ${staged.commit}, which is ${release}`);
  const tags = [request.settings.environment, release, 'latest'];
  return deployImage({
    ...request,
    action: 'promote',
    image,
    judge: (found) => {
      if (rehearsedWithinMs !== undefined) assertRehearsed(found, { staged, withinMs: rehearsedWithinMs });
    },
    finish: () => addTags(docker, image, { tags, progress }),
  });
}

export function assertConfirmed(typed: string): void {
  if (typed === 'PROMOTE') return;
  throw new DeployError({
    text: `confirmation: got ${JSON.stringify(typed)}; expected PROMOTE`,
    fix: 'nothing was changed; type PROMOTE, or pass --confirm PROMOTE',
    exitCode: EXIT.refused,
  });
}

/** Accepts a digest only if its last staging record says: succeeded, migrated, smoke passed. */
export function findStaged(records: readonly DeploymentRecord[], digest: string | undefined): DeploymentRecord {
  const ofStaging = records.filter(({ environment }) => traitsOf(environment).takesBuilds);
  const wanted = digest ?? ofStaging.findLast(({ outcome }) => outcome === 'succeeded')?.digest;
  const last = ofStaging.findLast((record) => record.digest === wanted);
  const lacks = last ? listMissing(last) : ['staging never ran it'];
  if (last && lacks.length === 0) return last;
  throw new DeployError({
    text: `promote: ${wanted ?? 'no digest'}: ${lacks.join(', ')}; expected a digest that staging ran, migrated and smoke-tested`,
    fix: `deploy it there first: airlock deploy staging IMAGE@${wanted ?? 'sha256:…'} --url URL`,
  });
}

function listMissing({ outcome, migrated, smoke }: DeploymentRecord): string[] {
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
    text: `promote: the image has commit ${commit ?? 'none'}, the staging record has ${staged.commit ?? 'none'}; expected the same`,
    fix: 'do not promote until the cause of the difference is known',
  });
}

/** The release tag of this repository at the image's commit. Only tagged commits are promoted. */
export async function findReleaseTag(named: string | undefined, commit: string | null): Promise<string> {
  if (named !== undefined && !isRelease(named)) {
    const text = `--release: ${JSON.stringify(named)} is not a release tag; expected vX.Y.Z`;
    throw new DeployError({ text, fix: 'pass the tag of the release', exitCode: EXIT.usage });
  }
  const fix = `tag the commit that staging ran: git tag ${named ?? 'vX.Y.Z'} ${commit ?? 'COMMIT'}`;
  if (named === undefined) {
    const [release] = commit === null ? [] : await listReleases(commit);
    if (release !== undefined) return release;
    const text = `release: the image was built from ${commit ?? 'an unknown commit'}, which has no tag vX.Y.Z; expected one`;
    throw new DeployError({ text, fix });
  }
  const tagged = await resolveCommit(named);
  if (tagged === commit) return named;
  const text = `${named}: is commit ${tagged}, but the image was built from ${commit ?? 'an unknown commit'}; expected the same`;
  throw new DeployError({ text, fix });
}

async function addTags(
  docker: Docker,
  image: ImageReference,
  { tags, progress }: { tags: readonly string[]; progress: PromoteRequest['progress'] },
): Promise<void> {
  for (const tag of tags) {
    await tagImage(docker, image, tag);
    progress.note(`${image.repository}:${tag} now points to ${image.digest}`);
  }
}
