import { setTimeout as sleep } from 'node:timers/promises';
import { isAbsence, type Docker } from '../engine/docker.js';
import { DeployError } from '../engine/deploy-error.js';

/** The deploy that holds the lock of an environment. */
export interface DeployLockHolder {
  /** The id of the lock in Swarm. A later lock of the same name has another id. */
  readonly id: string;
  readonly owner: string;
  readonly what: string;
  readonly since: Date;
  /** The latest time at which its deploy can still run. After it the lock is stale. */
  readonly deadline: Date;
}

export interface DeployLockOptions {
  readonly stack: string;
  readonly owner: string;
  readonly what: string;
  readonly deadlineMs: number;
  /** How long to wait for a lock held by another deploy; 0 fails at once. */
  readonly waitMs: number;
  /** The id of a stale lock to replace. */
  readonly takeOver?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onWaiting?: (holder: DeployLockHolder) => void;
  /** Called if the lock could not be removed at the end: the next deploy needs its id. */
  readonly onLeft?: (why: string) => void;
}

export interface DeployLock {
  /** Throws if this process no longer holds the lock: another deploy may be running. */
  readonly assertHeld: () => Promise<void>;
}

const POLL_MS = 1_000;

/**
 * The lock is a Swarm config. The managers agree on its name before it exists, so two deployers on two machines cannot
 * both create it, and the hosts need no other software.
 */
export async function withLock<T>(
  docker: Docker,
  options: DeployLockOptions,
  work: (lock: DeployLock) => Promise<T>,
): Promise<T> {
  const id = await acquire(docker, options);
  try {
    return await work({ assertHeld: () => assertHeld(docker, options.stack, id) });
  } finally {
    // By id, not by name: if another deploy took the lock over, its lock stays.
    const { status, stderr } = await docker.attempt(['config', 'rm', id]);
    if (status !== 0 && !isAbsence(stderr)) options.onLeft?.(`the lock ${id} could not be removed: ${stderr.trim()}`);
  }
}

export async function readLock(docker: Docker, stack: string): Promise<DeployLockHolder | undefined> {
  const stdout = await docker.find(['config', 'inspect', lockName(stack)]);
  if (stdout === undefined) return undefined;
  const [config] = JSON.parse(stdout) as [{ ID: string; CreatedAt: string; Spec: { Labels: Record<string, string> } }];
  const labels = config.Spec.Labels;
  return {
    id: config.ID,
    owner: labels['airlock.owner'] ?? 'unknown',
    what: labels['airlock.what'] ?? 'unknown',
    since: new Date(config.CreatedAt),
    deadline: new Date(labels['airlock.deadline'] ?? config.CreatedAt),
  };
}

export function isStale(holder: DeployLockHolder, now = new Date()): boolean {
  return now > holder.deadline;
}

export function describeHolder(holder: DeployLockHolder, now = new Date()): string {
  const ageS = Math.round((now.getTime() - holder.since.getTime()) / 1_000);
  return `${holder.owner} (${holder.what}, for ${ageS} s, since ${holder.since.toISOString()})`;
}

async function acquire(docker: Docker, options: DeployLockOptions): Promise<string> {
  const deadline = performance.now() + options.waitMs;
  await takeOverStale(docker, options);
  let reported: string | undefined;
  for (;;) {
    options.signal?.throwIfAborted();
    const id = await tryCreate(docker, options);
    if (id !== undefined) return id;
    const holder = await readLock(docker, options.stack);
    if (holder === undefined) continue;
    if (performance.now() >= deadline) throw refusal(options, holder);
    if (holder.id !== reported) options.onWaiting?.(holder);
    reported = holder.id;
    await sleep(POLL_MS);
  }
}

/**
 * Removes by id, so that a newer lock is never removed. Two deployers that do so at once then compete for the new lock.
 */
async function takeOverStale(docker: Docker, { stack, takeOver }: DeployLockOptions): Promise<void> {
  if (takeOver === undefined) return;
  const holder = await readLock(docker, stack);
  if (holder?.id === takeOver) await docker.find(['config', 'rm', takeOver]);
}

async function tryCreate(
  docker: Docker,
  { stack, owner, what, deadlineMs }: DeployLockOptions,
): Promise<string | undefined> {
  const deadline = new Date(Date.now() + deadlineMs).toISOString();
  const labels = { stack, owner, what, deadline };
  const args = Object.entries(labels).flatMap(([name, value]) => ['--label', `airlock.${name}=${value}`]);
  const { status, stdout, stderr } = await docker.attempt(['config', 'create', ...args, lockName(stack), '-'], {
    input: 'lock',
  });
  if (status === 0) return stdout.trim();
  if (/AlreadyExists|already exists/i.test(stderr)) return undefined;
  throw new DeployError({ text: `lock ${stack}: ${stderr.trim()}`, fix: 'try: docker node ls' });
}

async function assertHeld(docker: Docker, stack: string, id: string): Promise<void> {
  const holder = await readLock(docker, stack);
  if (holder?.id === id) return;
  throw new DeployError({
    text: `lock ${stack}: lost${holder ? ` to ${describeHolder(holder)}` : ''}; expected to hold the lock until the end of this deploy`,
    fix: 'check the running release, then deploy again: airlock status',
  });
}

function refusal({ stack }: DeployLockOptions, holder: DeployLockHolder): DeployError {
  const stale = isStale(holder);
  return new DeployError({
    text: `lock ${stack}: ${stale ? 'stale, left by' : 'held by'} ${describeHolder(holder)}; expected no other deploy to be running`,
    fix: stale
      ? `make sure that this deploy no longer runs, then run the command again with --take-over ${holder.id}`
      : 'wait for the lock: --wait 10m',
  });
}

function lockName(stack: string): string {
  return `${stack}_airlock-lock`;
}
