import { describe, expect, it } from '@jest/globals';
import type { Docker } from '../engine/docker.js';
import { parseImageReference } from '../engine/image-reference.js';
import { DeployError } from '../engine/deploy-error.js';
import { createProgress } from '../engine/progress.js';
import type { Release } from '../release/release-record.js';
import { rollOut } from './roll-out.js';

const IMAGE = `registry.example.com/airlock@sha256:${'a'.repeat(64)}`;
const EARLIER = `registry.example.com/airlock@sha256:${'b'.repeat(64)}`;
const stackOf = (image: string) => ({
  services: { api: { image } },
  configs: {},
  networks: {},
  secrets: {},
  volumes: {},
});

/** An engine that refuses every stack. A refusal half-way has already changed the service. */
function createEngine(refusal: 'whole' | 'half-way') {
  const calls: string[] = [];
  let version = 7;
  const read = () => {
    const spec = { Name: 'airlock-staging_api', TaskTemplate: { ContainerSpec: { Image: EARLIER } }, Mode: {} };
    return Promise.resolve(JSON.stringify([{ ID: 'api', Version: { Index: version }, Spec: spec }]));
  };
  const engine: Docker = {
    run(args) {
      calls.push(args.slice(0, 2).join(' '));
      if (refusal === 'half-way') version += 1;
      return Promise.reject(new DeployError({ text: 'docker stack deploy: exit 1: refused', fix: 'try: docker info' }));
    },
    find: read,
    attempt: () => Promise.resolve({ status: 1, stdout: '', stderr: '' }),
  };
  return { engine, calls };
}

async function fail(refusal: 'whole' | 'half-way') {
  const { engine, calls } = createEngine(refusal);
  const digest = EARLIER.split('@')[1] ?? '';
  const error = await rollOut(engine, {
    stackName: 'airlock-staging',
    plan: { stack: stackOf(IMAGE), appServices: ['api'] },
    image: parseImageReference(IMAGE),
    previous: { record: { digest, image: EARLIER }, deployed: stackOf(EARLIER) },
    timeoutMs: 100,
    progress: createProgress({ write: () => true }),
    url: undefined,
    assertHeld: () => Promise.resolve(),
    confirm: () => Promise.resolve(),
  } as unknown as Parameters<typeof rollOut>[1] & { previous: Release }).catch(
    (cause: unknown) => cause as DeployError,
  );
  return { error: error as DeployError, deploys: calls.filter((call) => call === 'stack deploy').length };
}

describe('a stack that Swarm refuses', () => {
  it('before it changed anything is not rolled back, because the record may be older than the running release', async () => {
    const { error, deploys } = await fail('whole');
    expect(error.message).toBe(
      'docker stack deploy: exit 1: refused\n  nothing was replaced: the running services are unchanged',
    );
    expect([error.exitCode, deploys]).toEqual([3, 1]);
  });

  it('half-way is rolled back', async () => {
    const { error, deploys } = await fail('half-way');
    expect(error.message).toContain('rollback: ');
    expect([error.exitCode, deploys]).toEqual([5, 2]);
  });
});
