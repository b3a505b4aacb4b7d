import { describe, expect, it } from '@jest/globals';
import { execute, isAbsence } from './docker.js';

describe('isAbsence', () => {
  it.each([
    'Error: no such service: airlock-staging_api',
    'no such service: airlock-staging_api',
    'Error response from daemon: config airlock-staging_airlock-lock not found',
    'Error response from daemon: service airlock-staging_api not found',
  ])('is true for "%s"', (stderr) => {
    expect(isAbsence(stderr)).toBe(true);
  });

  it.each([
    'Cannot connect to the Docker daemon at tcp://127.0.0.1:1. Is the docker daemon running?',
    'error during connect: dial tcp: lookup swarm.example.com: no such host',
    'context "staging": context not found: open meta.json: no such file or directory',
    'ssh: Could not resolve hostname swarm.example.com: Name or service not known',
    'Error response from daemon: rpc error: code = Unknown desc = The swarm does not have a leader',
    '',
  ])('is false for "%s"', (stderr) => {
    expect(isAbsence(stderr)).toBe(false);
  });
});

describe('execute', () => {
  it('kills a command at its time limit, with all its child processes, and reports it', async () => {
    const started = performance.now();
    const { status, stderr } = await execute('bash', ['-c', 'sleep 30 & sleep 30'], { timeoutMs: 300 });
    expect({ status, stderr }).toEqual({ status: 137, stderr: 'timed out after 0.3 s' });
    // A child process that survived would keep the pipes open for half a minute.
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('runs the command in its own process group, so that Ctrl-C of a terminal does not reach it', async () => {
    const { stdout } = await execute('ps', ['-o', 'pgid=', '-p', String(process.pid)]);
    const child = await execute('bash', ['-c', 'ps -o pgid= -p $$']);
    expect(child.stdout.trim()).toMatch(/^\d+$/);
    expect(child.stdout.trim()).not.toBe(stdout.trim());
  });

  it('names the missing program', async () => {
    await expect(execute('no-such-program', [])).rejects.toThrow('no-such-program: cannot start\n  install no-such');
  });
});
