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
  /** Of the migrations of this image. Records of earlier versions lack it. */
  readonly rehearsals?: Readonly<Record<string, StagedRehearsal>>;
  readonly configFingerprint: string;
  /** The version of each secret that the release used; never a value. */
  readonly secretVersions: Readonly<Record<string, string>>;
}

/** The record that `airlock db migrate --rehearse` made of a migration, as `airlock db status` of staging prints it. */
export interface StagedRehearsal {
  readonly rehearsedAt: string;
  /** When the rows of the copy came. */
  readonly refreshedAt: string;
  readonly serverMajor: number;
  readonly longestWaitMs: number;
  readonly isWithinBudget: boolean;
}

export interface Release {
  readonly record: DeploymentRecord;
  /** The stack that Swarm got, so that a rollback restores the configuration too. */
  readonly deployed: Stack;
  /** The service that checks the schema for this image. */
  readonly job: ReleasePlan['releaseJob'];
}

const LABEL = 'airlock.release.stack';
const KEPT_RELEASES = 50;
const KEPT_GOOD_RELEASES = 10;

/** The swarm stores the releases, so every deployer on every machine reads the same history. Oldest first. */
export async function loadReleases(docker: Docker, stack: string): Promise<Release[]> {
  const text = await docker.run(['config', 'ls', '--filter', `label=${LABEL}=${stack}`, '--format', '{{.Name}}']);
  const names = text.split('\n').filter((name) => name !== '');
  if (names.length === 0) return [];
  const inspected = await docker.run(['config', 'inspect', ...names]);
  return (JSON.parse(inspected) as { Spec: { Name: string; Data: string } }[])
    .map(({ Spec }) => parseRelease(Spec.Name, Buffer.from(Spec.Data, 'base64').toString('utf8')))
    .sort((a, b) => (a.record.startedAt < b.record.startedAt ? -1 : 1));
}

/** Saves the release and removes old ones that no rollback needs. */
export async function saveRelease(docker: Docker, release: Release, before: readonly Release[]): Promise<void> {
  const { stack } = release.record;
  const create = ['config', 'create', '--label', `${LABEL}=${stack}`, releaseName(release), '-'];
  await docker.run(create, { input: JSON.stringify(release) });
  const surplus = findSurplus([...before, release]).map(releaseName);
  // A failure here does not fail the deploy: the next one tries again.
  if (surplus.length > 0) await docker.attempt(['config', 'rm', ...surplus]);
}

/** Failed attempts, however many, must not displace the releases that a rollback needs. */
export function findSurplus(releases: readonly Release[]): Release[] {
  const good = releases.filter(({ record }) => record.outcome === 'succeeded').slice(-KEPT_GOOD_RELEASES);
  const kept = new Set([...releases.slice(-KEPT_RELEASES), ...good]);
  return releases.filter((release) => !kept.has(release));
}

/** The newest successful release. It serves, unless a later deploy was interrupted before it was recorded. */
export function findCurrent(releases: readonly Release[]): Release | undefined {
  return releases.findLast(({ record }) => record.outcome === 'succeeded');
}

/** Ids sort by time. */
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
    // Reported below, with the name.
  }
  throw new DeployError({
    text: `config ${name}: is labelled as a release of airlock but is not a release record; expected a record that airlock wrote`,
    fix: `find out what created it, then remove it: docker config rm ${name}`,
  });
}
