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
  /** Before the stack was handed over; undefined where the service is new. */
  readonly before: ServiceState | undefined;
  /** How long Swarm itself watches a task after its start; a new service has no update that would tell. */
  readonly monitorMs: number;
}

export interface WatchOptions {
  readonly timeoutMs: number;
  /** An update is judged by Swarm's word and by the tasks; what was restored, by the tasks that run in the end. */
  readonly judgeBy?: 'update' | 'tasks';
  readonly signal?: AbortSignal | undefined;
  readonly onLook: (line: string) => void;
}

const POLL_MS = 500;
/** Swarm needs a moment before it says that an update has begun. */
const UNSETTLED_MS = 2_500;
const FAILED: readonly UpdateState[] = ['paused', 'rollback_started', 'rollback_paused', 'rollback_completed'];

/** Returns when every service runs what it should and Swarm has called its update complete; throws otherwise. */
export async function watchRollout(docker: Docker, watched: readonly Watched[], options: WatchOptions): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  const settledSince = new Map<string, number>();
  for (;;) {
    options.signal?.throwIfAborted();
    const looks = await lookAtAll(docker, watched, options);
    options.onLook(describeLooks(looks));
    const failed = looks.find(({ failure }) => failure !== undefined);
    if (failed) throw failure(describeFailed(failed));
    if (looks.every((one) => hasSettled(one, settledSince))) return;
    if (performance.now() > deadline) {
      throw failure(`not done after ${options.timeoutMs / 1_000} s: ${looks.map(describePending).join('; ')}`);
    }
    await sleep(POLL_MS);
  }
}

/** Returns when Swarm is not going back to an earlier state on its own account, or at the end of the time. */
export async function waitWhileRollingBack(
  docker: Docker,
  watched: readonly Watched[],
  timeoutMs: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const looks = watched.map(({ service }) => readService(docker, service));
    const isMoving = await Promise.all(looks).then(
      (states) => states.some((state) => state?.update?.state === 'rollback_started'),
      () => true,
    );
    if (!isMoving || performance.now() > deadline) return;
    await sleep(POLL_MS);
  }
}

/** How long Swarm watches each task of a service, as the stack says. */
export function monitorMs(service: Fields): number {
  const { update_config: update } = (service['deploy'] ?? {}) as { update_config?: { monitor?: string } };
  return parseDuration(update?.monitor ?? '5s');
}

interface Look {
  readonly watched: Watched;
  readonly line: string;
  readonly isRight: boolean;
  /** How long it must stay right before it counts. */
  readonly quietMs: number;
  readonly failure: string | undefined;
  readonly tasks: readonly Task[];
}

function judge(watched: Watched, observed: ObservedService | undefined, judgeBy: 'update' | 'tasks'): Look {
  const { state, tasks = [] } = observed ?? {};
  const running = tasks.filter(isRunning);
  const fresh = running.filter(({ image }) => image === watched.image);
  const runsWhatItShould =
    fresh.length === watched.replicas && running.length === watched.replicas && state?.image === watched.image;
  return {
    watched,
    tasks,
    ...(judgeBy === 'update' ? judgeByUpdate(watched, state, runsWhatItShould) : judgeByTasks(state, runsWhatItShould)),
    line: `${watched.service.split('_').at(-1)} ${fresh.length} of ${watched.replicas} new, ${running.length - fresh.length} old`,
  };
}

/** An engine that does not answer for a moment says nothing of the update: only the time limit ends the watch. */
async function lookAtAll(docker: Docker, watched: readonly Watched[], options: WatchOptions): Promise<Look[]> {
  try {
    const names = watched.map(({ service }) => service);
    const observed = await observeServices(docker, names);
    return watched.map((one) => judge(one, observed.get(one.service), options.judgeBy ?? 'update'));
  } catch (error) {
    const line = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return watched.map((one) => ({ watched: one, line, isRight: false, quietMs: 0, failure: undefined, tasks: [] }));
  }
}

type Judgement = Pick<Look, 'isRight' | 'quietMs' | 'failure'>;

function judgeByUpdate(watched: Watched, state: ServiceState | undefined, runsWhatItShould: boolean): Judgement {
  const update = state?.update;
  if (update === undefined || update.startedAt === watched.before?.update?.startedAt) {
    const quietMs = watched.before === undefined ? watched.monitorMs : UNSETTLED_MS;
    return { isRight: runsWhatItShould, quietMs, failure: undefined };
  }
  const failure = FAILED.includes(update.state) ? `${watched.service}: ${update.state}: ${update.message}` : undefined;
  return { isRight: runsWhatItShould && update.state === 'completed', quietMs: 0, failure };
}

function judgeByTasks(state: ServiceState | undefined, runsWhatItShould: boolean): Judgement {
  const isMoving = state?.update?.state === 'updating' || state?.update?.state === 'rollback_started';
  return { isRight: runsWhatItShould && !isMoving, quietMs: UNSETTLED_MS, failure: undefined };
}

function hasSettled({ watched, isRight, quietMs }: Look, since: Map<string, number>): boolean {
  if (!isRight) {
    since.delete(watched.service);
    return false;
  }
  const start = since.get(watched.service) ?? performance.now();
  since.set(watched.service, start);
  return performance.now() - start >= quietMs;
}

function describeLooks(looks: readonly Look[]): string {
  const unfinished = looks.filter(({ isRight }) => !isRight);
  return unfinished.length === 0 ? 'all run; watching them' : unfinished.map(({ line }) => line).join('; ');
}

function describeFailed({ failure, tasks }: Look): string {
  const errors = new Set(tasks.map(({ error }) => error).filter((error) => error !== ''));
  return [failure, ...[...errors].slice(0, 3)].join('; ');
}

function describePending({ line, tasks }: Look): string {
  const waiting = tasks.find(({ desired, state }) => desired === 'running' && state !== 'running');
  return waiting ? `${line}, one ${waiting.state}${waiting.error ? ` (${waiting.error})` : ''}` : line;
}

function failure(text: string): DeployError {
  return new DeployError({
    text: `rollout: ${text}`,
    mend: 'see why: docker service ps --no-trunc',
    exitCode: EXIT.broken,
  });
}
