import type { Docker } from '../engine/docker.js';
import { DeployError } from '../engine/deploy-error.js';
import type { ReleasePlan } from './release-plan.js';
import type { Stack } from '../render/render-stack.js';

/** One line of deployments.jsonl. */
export interface DeploymentRecord {
  readonly id: string;
  readonly action: 'deploy' | 'promote' | 'rollback';
  readonly environment: string;
  readonly stack: string;
  readonly image: string;
  readonly digest: string;
  readonly previousDigest: string | null;
  readonly commit: string | null;
  readonly actor: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly outcome: 'succeeded' | 'rolled-back' | 'failed';
  readonly reason: string | null;
  readonly migrated: boolean;
  readonly schemaHead: string | null;
  readonly smoke: 'passed' | 'failed' | 'not-run';
  readonly configFingerprint: string;
  /** Which version of each secret the release used; never a value. */
  readonly secretVersions: Readonly<Record<string, string>>;
}

export interface Release {
  readonly record: DeploymentRecord;
  /** What was handed to Swarm, so that a rollback brings back the configuration too. */
  readonly deployed: Stack;
  /** The service that asks about the schema on behalf of this image. */
  readonly job: ReleasePlan['releaseJob'];
}

const LABEL = 'airlock.release.stack';
const KEPT_RELEASES = 50;
const KEPT_GOOD_RELEASES = 10;

/** The swarm itself keeps the releases: every deployer on every machine reads the same history. Oldest first. */
export async function loadReleases(docker: Docker, stack: string): Promise<Release[]> {
  const text = await docker.run(['config', 'ls', '--filter', `label=${LABEL}=${stack}`, '--format', '{{.Name}}']);
  const names = text.split('\n').filter((name) => name !== '');
  if (names.length === 0) return [];
  const inspected = await docker.run(['config', 'inspect', ...names]);
  return (JSON.parse(inspected) as { Spec: { Name: string; Data: string } }[])
    .map(({ Spec }) => parseRelease(Spec.Name, Buffer.from(Spec.Data, 'base64').toString('utf8')))
    .sort((a, b) => (a.record.startedAt < b.record.startedAt ? -1 : 1));
}

/** Keeps one more, and lets go of what nobody will go back to. */
export async function saveRelease(docker: Docker, release: Release, before: readonly Release[]): Promise<void> {
  const { stack } = release.record;
  const create = ['config', 'create', '--label', `${LABEL}=${stack}`, releaseName(release), '-'];
  await docker.run(create, { input: JSON.stringify(release) });
  const surplus = findSurplus([...before, release]).map(releaseName);
  // Not the end of a deploy: the next one tries again.
  if (surplus.length > 0) await docker.attempt(['config', 'rm', ...surplus]);
}

/** Failed attempts must not push out what a rollback needs, however many there were. */
export function findSurplus(releases: readonly Release[]): Release[] {
  const good = releases.filter(({ record }) => record.outcome === 'succeeded').slice(-KEPT_GOOD_RELEASES);
  const kept = new Set([...releases.slice(-KEPT_RELEASES), ...good]);
  return releases.filter((release) => !kept.has(release));
}

/** The newest release that succeeded: what serves, unless a deploy was cut off before it could write itself down. */
export function findCurrent(releases: readonly Release[]): Release | undefined {
  return releases.findLast(({ record }) => record.outcome === 'succeeded');
}

/** Sorts by name as it sorts by time. */
export function createRecordId(now: Date): string {
  return now.toISOString().replaceAll(/[-:.]/g, '').toLowerCase();
}

function releaseName({ record: { stack, id } }: Release): string {
  return `${stack}_release-${id}`;
}

function parseRelease(name: string, text: string): Release {
  try {
    const release = JSON.parse(text) as Release;
    if (typeof release.record.digest === 'string' && typeof release.deployed.services === 'object') return release;
  } catch {
    // Said below, with the name.
  }
  throw new DeployError({
    text: `config ${name}: is no release of airlock, though it is labelled as one; expected its own record`,
    mend: `find out who made it, then: docker config rm ${name}`,
  });
}
