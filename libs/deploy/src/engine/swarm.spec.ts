import { describe, expect, it } from '@jest/globals';
import { answering } from './answering-docker.fixture.js';
import { observeServices } from './swarm.js';

const service = (id: string, name: string) => ({
  ...{ ID: id, Version: { Index: 3 } },
  Spec: { Name: name, TaskTemplate: { ContainerSpec: { Image: 'airlock:1' } }, Mode: { Replicated: { Replicas: 2 } } },
});
const task = (id: string, serviceId: string) => ({
  ...{ ID: id, ServiceID: serviceId, Slot: 1, DesiredState: 'running', Status: { State: 'running' } },
  Spec: { ContainerSpec: { Image: 'airlock:1' } },
});
const UNKNOWN = { status: 1, stderr: 'Error: no such service: b\nError: no such service: c\n' };

describe('observeServices', () => {
  it('asks three times, however many services there are, and gives each its tasks in order', async () => {
    const docker = answering(
      { stdout: JSON.stringify([service('s1', 'a'), service('s2', 'b')]) },
      { stdout: 't3\nt2\nt1\n' },
      { stdout: JSON.stringify([task('t3', 's2'), task('t2', 's1'), task('t1', 's1')]) },
    );
    const observed = await observeServices(docker, ['a', 'b']);
    expect(docker.asked).toEqual([
      'service inspect a b',
      'service ps --quiet --no-trunc s1 s2',
      'inspect --type task t3 t2 t1',
    ]);
    expect([...observed].map(([name, { tasks }]) => [name, tasks.map(({ id }) => id)])).toEqual([
      ['a', ['t2', 't1']],
      ['b', ['t3']],
    ]);
    expect(observed.get('a')?.state).toMatchObject({ id: 's1', image: 'airlock:1', replicas: 2, version: 3 });
  });

  it('leaves out services that do not exist, and asks no more where none does', async () => {
    const some = answering({ ...UNKNOWN, stdout: JSON.stringify([service('s1', 'a')]) }, { stdout: '' });
    expect([...(await observeServices(some, ['a', 'b', 'c'])).keys()]).toEqual(['a']);
    const none = answering({ ...UNKNOWN, stdout: '[]\n' });
    expect((await observeServices(none, ['b', 'c'])).size).toBe(0);
    expect(none.asked).toHaveLength(1);
  });

  it('keeps a service that goes between two questions, without tasks', async () => {
    const stdout = JSON.stringify([service('s1', 'a')]);
    const docker = answering({ stdout }, { status: 1, stderr: 'no such service: s1\n' });
    expect((await observeServices(docker, ['a'])).get('a')?.tasks).toEqual([]);
  });

  it('asks nothing where there is no name, as before the first deploy', async () => {
    const docker = answering();
    expect((await observeServices(docker, [])).size).toBe(0);
    expect(docker.asked).toEqual([]);
  });

  it('leaves out a task that the engine has forgotten, and fails where the engine goes before it shows the tasks', async () => {
    const found = [{ stdout: JSON.stringify([service('s1', 'a')]) }, { stdout: 't2\nt1\n' }];
    const forgotten = { status: 1, stderr: 'Error response from daemon: task t1 not found\n' };
    const some = answering(...found, { ...forgotten, stdout: JSON.stringify([task('t2', 's1')]) });
    expect((await observeServices(some, ['a'])).get('a')?.tasks).toHaveLength(1);
    const gone = answering(...found, { status: 1, stdout: '[]\n', stderr: 'Cannot connect to the Docker daemon\n' });
    await expect(observeServices(gone, ['a'])).rejects.toThrow('docker inspect --type: exit 1: Cannot connect');
  });

  it.each(['Cannot connect to the Docker daemon. Is it running?', `no such service: b\nunexpected EOF`, ''])(
    'fails where the engine says "%s"',
    async (stderr) => {
      await expect(observeServices(answering({ status: 1, stderr }), ['a'])).rejects.toThrow('docker service inspect');
    },
  );
});
