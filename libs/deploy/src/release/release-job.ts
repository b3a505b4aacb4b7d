import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { omit, type Fields } from '../engine/model-fields.js';
import type { Docker } from '../engine/docker.js';
import { DeployError } from '../engine/deploy-error.js';
import type { Stack } from '../render/render-stack.js';
import { applyStack } from './stack-file.js';
import { observeServices, type Task } from '../engine/swarm.js';

/** A command that runs once with the image, secrets, networks and limits of a service. */
export interface SwarmJob {
  readonly service: Fields;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface JobResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Swarm's error if the task could not start. */
  readonly error: string;
}

export interface SwarmJobOptions {
  readonly stackName: string;
  readonly stack: Stack;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Services that run as long as the jobs do. */
  readonly beside?: Readonly<Record<string, Fields>>;
  /** Called at each poll with the full name and the tasks of each service beside the jobs; throws to end the jobs. */
  readonly onPoll?: (besides: ReadonlyMap<string, readonly Task[]>) => Promise<void>;
}

const POLL_MS = 400;
const LOG_LIMIT_MS = 10_000;
/** A failed job may have written to standard error only. */
const EMPTY_STDOUT_LIMIT_MS = 1_200;
const ENDED = ['complete', 'failed', 'rejected', 'shutdown', 'orphaned', 'remove'];

/** The engine could not start a container, as when a mount is busy for a moment. Nothing of the image has run. */
const NEVER_RAN = /^starting container failed/;
const MAX_STARTS = 3;

class NeverRan extends Error {}

function assertStarted(tasks: ReadonlyMap<string, readonly Task[]>): void {
  const failed = [...tasks.values()].flat().find(({ error }) => NEVER_RAN.test(error));
  if (failed) throw new NeverRan(failed.error);
}

/** Runs the jobs at the same time in a scratch stack, which is always removed afterwards. */
export async function runJobs<K extends string>(
  docker: Docker,
  jobs: Readonly<Record<K, SwarmJob>>,
  options: SwarmJobOptions,
): Promise<Record<K, JobResult>> {
  for (let start = 1; ; start += 1) {
    try {
      return await runOnce(docker, jobs, { ...options, isLastStart: start === MAX_STARTS });
    } catch (error) {
      if (!(error instanceof NeverRan)) throw error;
    }
  }
}

async function runOnce<K extends string>(
  docker: Docker,
  jobs: Readonly<Record<K, SwarmJob>>,
  options: SwarmJobOptions & { isLastStart: boolean },
): Promise<Record<K, JobResult>> {
  const name = `${options.stackName}-job-${randomBytes(4).toString('hex')}`;
  try {
    await applyStack(docker, name, createJobStack(name, jobs, options));
    return await waitForJobs(docker, name, Object.keys(jobs) as K[], options);
  } finally {
    await removeStack(docker, name);
  }
}

/** Removes every scratch stack of this stack, also those that a killed deployer left. */
export async function removeScratchStacks(docker: Docker, stackName: string): Promise<void> {
  const { stdout } = await docker.attempt(['stack', 'ls', '--format', '{{.Name}}']);
  const leftovers = stdout.split('\n').filter((name) => new RegExp(`^${stackName}-job-[0-9a-f]{8}$`).test(name));
  for (const name of leftovers) await removeStack(docker, name);
}

async function removeStack(docker: Docker, name: string): Promise<void> {
  await docker.attempt(['stack', 'rm', '--detach=false', name], { timeoutMs: 90_000 });
}

function createJobStack(
  scratch: string,
  jobs: Readonly<Record<string, SwarmJob>>,
  { stackName, stack, beside = {} }: SwarmJobOptions,
): Stack {
  const services = Object.fromEntries(Object.entries(jobs).map(([key, job]) => [key, createJobService(scratch, job)]));
  const networks = Object.keys(stack.networks).map((key) => [key, outerNetwork(stackName, key, stack.networks[key])]);
  return {
    ...stack,
    services: { ...services, ...beside },
    networks: Object.fromEntries(networks) as Stack['networks'],
    volumes: {},
  };
}

function outerNetwork(stackName: string, key: string, network: Fields | undefined): Fields {
  return network?.['external'] === true ? network : { external: true, name: `${stackName}_${key}` };
}

function createJobService(scratch: string, { service, command, environment }: SwarmJob): Fields {
  const { resources, placement } = (service['deploy'] ?? {}) as Fields;
  return {
    ...omit(service, 'ports', 'hostname'),
    volumes: ((service['volumes'] ?? []) as Fields[]).filter(({ type }) => type === 'tmpfs'),
    networks: withoutAliases(service['networks']),
    entrypoint: command.slice(0, 1),
    // A stack file is a template: a literal dollar is written twice.
    command: command.slice(1).map((word) => word.replaceAll('$', '$$$$')),
    environment: { ...(service['environment'] as Fields), ...environment, SCRATCH_STACK: scratch },
    // Swarm waits until a service is healthy, and a job has no health check.
    healthcheck: { test: ['NONE'] },
    deploy: {
      mode: 'replicated-job',
      replicas: 1,
      restart_policy: { condition: 'none' },
      ...(resources ? { resources } : {}),
      ...(placement ? { placement } : {}),
    },
  };
}

/** A job on the service's networks must not be reachable under the service's names. */
export function withoutAliases(networks: unknown): Record<string, null> {
  return Object.fromEntries(Object.keys((networks ?? {}) as Fields).map((name) => [name, null]));
}

async function waitForJobs<K extends string>(
  docker: Docker,
  stack: string,
  keys: readonly K[],
  options: SwarmJobOptions & { isLastStart: boolean },
): Promise<Record<K, JobResult>> {
  const besides = Object.keys(options.beside ?? {}).map((key) => `${stack}_${key}`);
  const deadline = performance.now() + options.timeoutMs;
  const results: Partial<Record<K, JobResult>> = {};
  for (;;) {
    options.signal?.throwIfAborted();
    const tasks = await observeTasks(docker, [...keys.map((key) => `${stack}_${key}`), ...besides]);
    if (!options.isLastStart) assertStarted(tasks);
    const pending = keys.filter((key) => results[key] === undefined);
    await Promise.all(
      pending.map(async (key) => {
        const task = tasks.get(`${stack}_${key}`)?.at(0);
        if (task && ENDED.includes(task.state)) results[key] = await readResult(docker, `${stack}_${key}`, task);
      }),
    );
    const [late] = pending.filter((key) => results[key] === undefined);
    if (late === undefined) return results as Record<K, JobResult>;
    await options.onPoll?.(new Map(besides.map((name) => [name, tasks.get(name) ?? []])));
    if (performance.now() > deadline) throw timeout(late, options.timeoutMs, tasks.get(`${stack}_${late}`)?.at(0));
    await sleep(POLL_MS);
  }
}

/** An engine that does not answer for a moment says nothing of the jobs. */
async function observeTasks(docker: Docker, names: readonly string[]): Promise<ReadonlyMap<string, readonly Task[]>> {
  const observed = await observeServices(docker, names).catch(() => new Map<string, never>());
  return new Map([...observed].map(([name, { tasks }]) => [name, tasks]));
}

async function readResult(docker: Docker, service: string, task: Task): Promise<JobResult> {
  const exitCode = task.state === 'complete' ? 0 : (task.exitCode ?? 1);
  const { stdout, stderr } = await readLogs(docker, service);
  return { exitCode: exitCode === 0 && task.state !== 'complete' ? 1 : exitCode, stdout, stderr, error: task.error };
}

/**
 * The engine may report the end of a task before all of its log has arrived, on a busy host seconds before. A log that
 * ends within a line, or has no standard output yet, is read again.
 */
async function readLogs(docker: Docker, service: string): Promise<{ stdout: string; stderr: string }> {
  const startedAt = performance.now();
  for (;;) {
    const logs = await docker.attempt(['service', 'logs', '--raw', '--no-task-ids', service], { timeoutMs: 10_000 });
    const texts = [logs.stdout, logs.stderr].filter((text) => text !== '');
    const isWhole = logs.status === 0 && texts.length > 0 && texts.every((text) => text.endsWith('\n'));
    const limitMs = isWhole && logs.stdout === '' ? EMPTY_STDOUT_LIMIT_MS : LOG_LIMIT_MS;
    if ((isWhole && logs.stdout !== '') || performance.now() - startedAt > limitMs) return logs;
    await sleep(POLL_MS);
  }
}

function timeout(key: string, timeoutMs: number, task: Task | undefined): DeployError {
  const state = task ? `${task.state}${task.error ? `, ${task.error}` : ''}` : 'never scheduled';
  return new DeployError({
    text: `job ${key}: still running after ${timeoutMs / 1_000} s (${state}); expected it to end in time`,
    fix: 'check the nodes and their reservations: docker node ls',
  });
}
