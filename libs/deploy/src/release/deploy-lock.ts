import { setTimeout as sleep } from 'node:timers/promises';
import { isAbsence, type Docker } from '../engine/docker.js';
import { DeployError } from '../engine/deploy-error.js';

/** Who changes an environment right now. */
export interface DeployLockHolder {
  /** Swarm's id of the lock: two locks of one name never share it. */
  readonly id: string;
  readonly owner: string;
  readonly what: string;
  readonly since: Date;
  /** When its own deploy would have given up. Past it the lock is stale. */
  readonly deadline: Date;
}

export interface DeployLockOptions {
  readonly stack: string;
  readonly owner: string;
  readonly what: string;
  readonly deadlineMs: number;
  /** How long to wait for another's; 0 refuses at once. */
  readonly waitMs: number;
  /** The id of a stale lock to replace. */
  readonly takeOver?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onWaiting?: (holder: DeployLockHolder) => void;
  /** The lock could not be removed at the end: whoever comes next is told its id. */
  readonly onLeft?: (why: string) => void;
}

export interface DeployLock {
  /** Throws when the lock is no longer ours: somebody else may be at work. */
  readonly assertHeld: () => Promise<void>;
}

const POLL_MS = 1_000;

/**
 * The lock is a Swarm config: the managers agree on its name before it exists, so two deployers on two machines cannot
 * both create it, and it needs nothing on the hosts.
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
    // By id, never by name: if another took it over, theirs stays.
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
  const giveUp = performance.now() + options.waitMs;
  await takeOverStale(docker, options);
  let reported: string | undefined;
  for (;;) {
    options.signal?.throwIfAborted();
    const id = await tryCreate(docker, options);
    if (id !== undefined) return id;
    const holder = await readLock(docker, options.stack);
    if (holder === undefined) continue;
    if (performance.now() >= giveUp) throw refusal(options, holder);
    if (holder.id !== reported) options.onWaiting?.(holder);
    reported = holder.id;
    await sleep(POLL_MS);
  }
}

/** By the id that was seen, so that a newer lock is never hit; two who do so at once meet again at the next one. */
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
  throw new DeployError({ text: `lock ${stack}: ${stderr.trim()}`, mend: 'try: docker node ls' });
}

async function assertHeld(docker: Docker, stack: string, id: string): Promise<void> {
  const holder = await readLock(docker, stack);
  if (holder?.id === id) return;
  throw new DeployError({
    text: `lock ${stack}: lost${holder ? ` to ${describeHolder(holder)}` : ''}; expected to hold it until the end`,
    mend: `see what runs, then deploy again: airlock status`,
  });
}

function refusal({ stack }: DeployLockOptions, holder: DeployLockHolder): DeployError {
  const stale = isStale(holder);
  return new DeployError({
    text: `lock ${stack}: ${stale ? 'stale, left by' : 'held by'} ${describeHolder(holder)}; expected nobody else at work`,
    mend: stale
      ? `make sure that deployer is gone, then run this again with --take-over ${holder.id}`
      : 'wait for it: --wait 10m',
  });
}

function lockName(stack: string): string {
  return `${stack}_airlock-lock`;
}
