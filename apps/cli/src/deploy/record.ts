import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Docker } from './docker.js';
import { parseLines } from './docker.js';
import { DeployError } from './problem.js';
import type { ReleasePlan } from './release.js';
import type { Stack } from './render/render-stack.js';

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

/** The swarm itself keeps the releases: every deployer on every machine reads the same history. Oldest first. */
export async function loadReleases(docker: Docker, stack: string): Promise<Release[]> {
  const names = await listReleaseNames(docker, stack);
  if (names.length === 0) return [];
  const text = await docker.run(['config', 'inspect', ...names]);
  return (JSON.parse(text) as { Spec: { Data: string } }[])
    .map(({ Spec }) => JSON.parse(Buffer.from(Spec.Data, 'base64').toString('utf8')) as Release)
    .sort((a, b) => (a.record.startedAt < b.record.startedAt ? -1 : 1));
}

export async function saveRelease(docker: Docker, release: Release): Promise<void> {
  const { stack, id } = release.record;
  await docker.run(['config', 'create', '--label', `${LABEL}=${stack}`, `${stack}_airlock-release-${id}`, '-'], {
    input: JSON.stringify(release),
  });
  const names = await listReleaseNames(docker, stack);
  const surplus = names.sort().slice(0, -KEPT_RELEASES);
  if (surplus.length > 0) await docker.attempt(['config', 'rm', ...surplus]);
}

/** For people, pipelines and artefacts: the same record as a line of a file. */
export async function appendRecord(file: string, record: DeploymentRecord): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await appendFile(file, `${JSON.stringify(record)}\n`);
}

export async function loadRecordFile(file: string): Promise<DeploymentRecord[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new DeployError({ text: `${file}: cannot be read`, mend: 'name a deployments.jsonl: --record FILE', cause });
  });
  return parseLines<DeploymentRecord>(text);
}

/** The newest release that serves, if the last attempt to change it did not end otherwise. */
export function findCurrent(releases: readonly Release[]): Release | undefined {
  return releases.findLast(({ record }) => record.outcome === 'succeeded');
}

/** Sorts by name as it sorts by time. */
export function createRecordId(now: Date): string {
  return now.toISOString().replaceAll(/[-:.]/g, '').toLowerCase();
}

async function listReleaseNames(docker: Docker, stack: string): Promise<string[]> {
  const text = await docker.run(['config', 'ls', '--filter', `label=${LABEL}=${stack}`, '--format', 'json']);
  return parseLines<{ Name: string }>(text).map(({ Name }) => Name);
}
