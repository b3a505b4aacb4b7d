import { setTimeout as sleep } from 'node:timers/promises';
import { DeployError, EXIT } from '../engine/deploy-error.js';
import { alibaba } from './alibaba.js';
import { cloudRun } from './cloud-run.js';
import { fly } from './fly.js';
import { railway } from './railway.js';
import { readCall, runCalls } from './run-calls.js';
import { shortName, type Call, type HostedTarget, type TargetRequest, type TargetResult } from './target.js';
import { undoRollout } from './undo.js';

export interface HostedDeploy {
  readonly target: string;
  readonly environment: string;
  readonly image: string;
  readonly url: string;
  readonly options: Readonly<Record<string, string>>;
  /** The time limit for /version to return the digest after the last call; default 5 minutes. */
  readonly waitMs?: number;
  /** Replaces the whole environment of the called programs. */
  readonly env?: Readonly<Record<string, string>>;
  /** Receives progress lines: each call, and what failed. */
  readonly onProgress?: (line: string) => void;
}

export const targets: Readonly<Record<string, HostedTarget>> = Object.fromEntries(
  [fly, railway, cloudRun, alibaba].map((target) => [target.name, target]),
);

/** The first pause between two polls. Each further pause is twice as long, up to POLL_MS. */
const FIRST_POLL_MS = 100;
const POLL_MS = 1_000;
const DEFAULT_WAIT_MS = 5 * 60_000;

/** Deploys an image to a hosted platform. `ok` is true only if /version returned the digest. */
export async function deployToTarget(deploy: HostedDeploy): Promise<TargetResult> {
  const { target, request, mirror } = parseRequest(deploy);
  const around = { env: deploy.env, report: deploy.onProgress ?? (() => undefined) };
  const previousDigest = await readDigest(deploy.url);
  const imageBefore = target.undo ? await readCall(target.undo.readImage(request), around) : '';
  const calls = [...mirror, ...(await target.createCalls(request))];
  const called = imageBefore !== undefined && (await runCalls(calls, around));
  const ok = called && (await showsDigest(deploy, request.digest));
  if (called && !ok) around.report(`${deploy.url}/version: did not return ${request.digest} in time`);
  if (!ok && target.undo && imageBefore !== undefined) {
    await undoRollout(target.undo, { request, imageBefore, servedBefore: previousDigest }, around);
  }
  return { target: target.name, env: deploy.environment, digest: request.digest, previousDigest, url: deploy.url, ok };
}

function parseRequest(deploy: HostedDeploy): { target: HostedTarget; request: TargetRequest; mirror: Call[] } {
  const target = targets[deploy.target];
  if (!target)
    throw refusal(`--target: ${deploy.target} is unknown; expected swarm, ${Object.keys(targets).join(', ')}`);
  const digest = /^[^@\s]+@(sha256:[0-9a-f]{64})$/.exec(deploy.image)?.[1];
  if (!digest)
    throw refusal(`IMAGE: "${deploy.image}" does not name an image by digest; expected registry/repository@sha256:…`);
  if (!/^https?:\/\/[^/\s]+$/.test(deploy.url))
    throw refusal(`--url: "${deploy.url}" is not an origin; expected https://host`);
  assertOptions(target, deploy.options);
  const request = { environment: deploy.environment, image: deploy.image, digest, options: deploy.options };
  const { registry } = deploy.options;
  if (!registry) return { target, request, mirror: [] };
  return { target, request: { ...request, image: `${registry}@${digest}` }, mirror: [createMirror(request, registry)] };
}

function assertOptions(target: HostedTarget, given: Readonly<Record<string, string>>): void {
  const missing = Object.entries(target.options).filter(
    ([name, meaning]) => !given[name] && !meaning.startsWith('optional'),
  );
  const unknown = Object.keys(given).filter((name) => !(name in target.options));
  const lines = [
    ...missing.map(([name, meaning]) => `--option ${name}: is missing; expected ${meaning}`),
    ...unknown.map(
      (name) => `--option ${name}: is unknown; expected ${Object.keys(target.options).join(', ') || 'none'}`,
    ),
  ];
  if (!['on', 'off', undefined].includes(given['callback'])) {
    lines.push(`--option callback: is ${JSON.stringify(given['callback'])}; expected on or off`);
  }
  if (lines.length > 0) throw refusal(lines.join('\n'), `see docker/deploy/${target.name}/README.md`);
}

/** Rejects a wrong request before anything is called. */
function refusal(text: string, fix = 'see docs/deployment.md'): DeployError {
  return new DeployError({ text, fix, exitCode: EXIT.usage });
}

/**
 * For a platform that pulls only from its own registry. The copy must keep the digest, or the platform cannot find it.
 */
const createMirror = (request: TargetRequest, registry: string): Call => ({
  command: [
    'docker',
    ...['buildx', 'imagetools', 'create', '--prefer-index=false'],
    ...['--tag', `${registry}:${shortName(request)}`, request.image],
  ],
});

async function showsDigest({ url, waitMs = DEFAULT_WAIT_MS }: HostedDeploy, digest: string): Promise<boolean> {
  const end = performance.now() + waitMs;
  for (let pauseMs = FIRST_POLL_MS; ; pauseMs = Math.min(2 * pauseMs, POLL_MS)) {
    if ((await readDigest(url)) === digest) return true;
    if (performance.now() + pauseMs > end) return false;
    await sleep(pauseMs);
  }
}

/** The digest that /version returns; null if the address does not serve. */
export async function readDigest(url: string): Promise<string | null> {
  try {
    const response = await fetch(`${url}/version`, { signal: AbortSignal.timeout(5_000), redirect: 'error' });
    const body = (await response.json()) as { digest?: unknown };
    return response.ok && typeof body.digest === 'string' ? body.digest : null;
  } catch {
    return null; // Not serving yet is not a failure; the deadline makes it one.
  }
}
