import { setTimeout as sleep } from 'node:timers/promises';
import type { Fields } from '../engine/model-fields.js';
import type { Docker } from '../engine/docker.js';
import { parseDuration } from '../engine/duration.js';
import { DeployError, EXIT } from '../engine/deploy-error.js';
import {
  isRunning,
  observeServices,
  readService,
  type ObservedService,
  type ServiceState,
  type Task,
  type UpdateState,
} from '../engine/swarm.js';

export interface Watched {
  /** The full name in Swarm. */
  readonly service: string;
  readonly image: string;
  readonly replicas: number;
  /** The state before the stack was applied; undefined if the service is new. */
  readonly before: ServiceState | undefined;
  /** How long Swarm monitors a task after its start; a new service has no update that would report it. */
  readonly monitorMs: number;
}

export interface WatchOptions {
  readonly timeoutMs: number;
  /** `update`: by Swarm's update state and the tasks. `tasks`: by the running tasks only, as after a rollback. */
  readonly judgeBy?: 'update' | 'tasks';
  readonly signal?: AbortSignal | undefined;
  readonly onPoll: (line: string) => void;
}

const POLL_MS = 1_000;
/** Swarm needs a moment before it reports that an update has started. */
const UNSETTLED_MS = 2_500;
const FAILED: readonly UpdateState[] = ['paused', 'rollback_started', 'rollback_paused', 'rollback_completed'];

/** Returns when every service runs its image in full number and Swarm reports the update complete; throws otherwise. */
export async function watchRollout(docker: Docker, watched: readonly Watched[], options: WatchOptions): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  const settledSince = new Map<string, number>();
  for (;;) {
    options.signal?.throwIfAborted();
    const observations = await observeAll(docker, watched, options);
    options.onPoll(describeProgress(observations));
    const failed = observations.find(({ failure }) => failure !== undefined);
    if (failed) throw failure(describeFailed(failed));
    if (observations.every((one) => hasSettled(one, settledSince))) return;
    if (performance.now() > deadline) {
      throw failure(
        `not complete after ${options.timeoutMs / 1_000} s: ${observations.map(describePending).join('; ')}`,
      );
    }
    await sleep(POLL_MS);
  }
}

/** Returns when Swarm is not rolling back by itself, or at the time limit. */
export async function waitWhileRollingBack(
  docker: Docker,
  watched: readonly Watched[],
  timeoutMs: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const reads = watched.map(({ service }) => readService(docker, service));
    const isMoving = await Promise.all(reads).then(
      (states) => states.some((state) => state?.update?.state === 'rollback_started'),
      () => true,
    );
    if (!isMoving || performance.now() > deadline) return;
    await sleep(POLL_MS);
  }
}

/** How long Swarm monitors each task of a service, by the stack. */
export function monitorMs(service: Fields): number {
  const { update_config: update } = (service['deploy'] ?? {}) as { update_config?: { monitor?: string } };
  return parseDuration(update?.monitor ?? '5s');
}

interface Observation {
  readonly watched: Watched;
  readonly line: string;
  readonly isRight: boolean;
  /** How long the state must stay right. */
  readonly quietMs: number;
  readonly failure: string | undefined;
  readonly tasks: readonly Task[];
}

function judge(watched: Watched, observed: ObservedService | undefined, judgeBy: 'update' | 'tasks'): Observation {
  const { state, tasks = [] } = observed ?? {};
  const running = tasks.filter(isRunning);
  const fresh = running.filter(({ image }) => image === watched.image);
  const runsAsWanted =
    fresh.length === watched.replicas && running.length === watched.replicas && state?.image === watched.image;
  return {
    watched,
    tasks,
    ...(judgeBy === 'update' ? judgeByUpdate(watched, state, runsAsWanted) : judgeByTasks(state, runsAsWanted)),
    line: `${watched.service.split('_').at(-1)} ${fresh.length} of ${watched.replicas} new, ${running.length - fresh.length} old`,
  };
}

/** A failed request to the engine says nothing about the update: only the time limit ends the watch. */
async function observeAll(docker: Docker, watched: readonly Watched[], options: WatchOptions): Promise<Observation[]> {
  try {
    const names = watched.map(({ service }) => service);
    const observed = await observeServices(docker, names);
    return watched.map((one) => judge(one, observed.get(one.service), options.judgeBy ?? 'update'));
  } catch (error) {
    const line = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return watched.map((one) => ({ watched: one, line, isRight: false, quietMs: 0, failure: undefined, tasks: [] }));
  }
}

type Judgement = Pick<Observation, 'isRight' | 'quietMs' | 'failure'>;

function judgeByUpdate(watched: Watched, state: ServiceState | undefined, runsAsWanted: boolean): Judgement {
  const update = state?.update;
  if (update === undefined || update.startedAt === watched.before?.update?.startedAt) {
    const quietMs = watched.before === undefined ? watched.monitorMs : UNSETTLED_MS;
    return { isRight: runsAsWanted, quietMs, failure: undefined };
  }
  const failure = FAILED.includes(update.state) ? `${watched.service}: ${update.state}: ${update.message}` : undefined;
  return { isRight: runsAsWanted && update.state === 'completed', quietMs: 0, failure };
}

function judgeByTasks(state: ServiceState | undefined, runsAsWanted: boolean): Judgement {
  const isMoving = state?.update?.state === 'updating' || state?.update?.state === 'rollback_started';
  return { isRight: runsAsWanted && !isMoving, quietMs: UNSETTLED_MS, failure: undefined };
}

function hasSettled({ watched, isRight, quietMs }: Observation, since: Map<string, number>): boolean {
  if (!isRight) {
    since.delete(watched.service);
    return false;
  }
  const start = since.get(watched.service) ?? performance.now();
  since.set(watched.service, start);
  return performance.now() - start >= quietMs;
}

function describeProgress(observations: readonly Observation[]): string {
  const unfinished = observations.filter(({ isRight }) => !isRight);
  return unfinished.length === 0 ? 'all replicas run; watching them' : unfinished.map(({ line }) => line).join('; ');
}

function describeFailed({ failure, tasks }: Observation): string {
  const errors = new Set(tasks.map(({ error }) => error).filter((error) => error !== ''));
  return [failure, ...[...errors].slice(0, 3)].join('; ');
}

function describePending({ line, tasks }: Observation): string {
  const waiting = tasks.find(({ desired, state }) => desired === 'running' && state !== 'running');
  return waiting ? `${line}, one task ${waiting.state}${waiting.error ? ` (${waiting.error})` : ''}` : line;
}

function failure(text: string): DeployError {
  return new DeployError({
    text: `rollout: ${text}`,
    fix: 'see the errors of its tasks: docker service ps --no-trunc SERVICE',
    exitCode: EXIT.broken,
  });
}
