import { describe, expect, it } from '@jest/globals';
import type { Docker } from '../engine/docker.js';
import { runJobs } from './release-job.js';

const BUSY = 'starting container failed: unable to remount dir as readonly: device or resource busy';

/** An engine on which the task of each started stack ends like this, in turn. */
function createSwarm(...ends: { state: string; error?: string; exitCode?: number }[]) {
  const stacks: string[] = [];
  const removed: string[] = [];
  const answer = ([first, second, ...rest]: readonly string[]): string => {
    const name = `${stacks.at(-1) ?? ''}_check`;
    const end = ends[stacks.length - 1];
    if (first === 'service' && second === 'inspect') {
      const container = { ContainerSpec: { Image: 'airlock:1' } };
      return JSON.stringify([
        { ID: 's1', Version: { Index: 1 }, Spec: { Name: name, TaskTemplate: container, Mode: { ReplicatedJob: {} } } },
      ]);
    }
    if (first === 'service' && second === 'ps') return 't1\n';
    if (first === 'service' && second === 'logs') return 'said\n';
    if (first === 'stack' && second === 'rm') removed.push(rest.at(-1) ?? '');
    if (first === 'stack') return '';
    const status = { State: end?.state, Err: end?.error, ContainerStatus: { ExitCode: end?.exitCode ?? 0 } };
    const spec = { ContainerSpec: { Image: 'airlock:1' } };
    return JSON.stringify([
      { ID: 't1', ServiceID: 's1', Slot: 1, DesiredState: 'complete', Spec: spec, Status: status },
    ]);
  };
  const docker: Docker = {
    attempt: (words) => Promise.resolve({ status: 0, stdout: answer(words), stderr: '' }),
    run: (words) => {
      stacks.push(words.at(-1) ?? '');
      return Promise.resolve('');
    },
    find: () => Promise.resolve(undefined),
  };
  return { docker, stacks, removed };
}

const options = {
  stackName: 'airlock-staging',
  stack: { version: '3.13' as const, services: {}, networks: {}, volumes: {}, secrets: {}, configs: {} },
  timeoutMs: 10_000,
};
const jobs = { check: { service: { image: 'airlock:1' }, command: ['airlock', 'config', 'check'] } };

describe('runJobs', () => {
  it('starts jobs again that the engine could not start, each time in another stack, and removes every one', async () => {
    const swarm = createSwarm({ state: 'failed', error: BUSY, exitCode: 128 }, { state: 'complete' });
    expect(await runJobs(swarm.docker, jobs, options)).toMatchObject({ check: { exitCode: 0, stdout: 'said\n' } });
    expect(new Set(swarm.stacks).size).toBe(2);
    expect(swarm.removed).toEqual(swarm.stacks);
  });

  it('reports the error of the engine when it still cannot start them', async () => {
    const failed = { state: 'rejected', error: BUSY, exitCode: 128 };
    const swarm = createSwarm(failed, failed, failed, { state: 'complete' });
    expect(await runJobs(swarm.docker, jobs, options)).toMatchObject({ check: { exitCode: 128, error: BUSY } });
    expect(swarm.stacks).toHaveLength(3);
  });

  it.each([
    ['task: non-zero exit (1)', 1],
    ['task: non-zero exit (128)', 128],
    ['No such image: airlock:1', 1],
  ])('does not start jobs again that ended with %j', async (error, exitCode) => {
    const swarm = createSwarm({ state: 'failed', error, exitCode }, { state: 'complete' });
    expect(await runJobs(swarm.docker, jobs, options)).toMatchObject({ check: { exitCode, error } });
    expect(swarm.stacks).toHaveLength(1);
  });
});
