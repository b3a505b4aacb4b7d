import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findFreePort } from '@airlock/config/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseImageReference, readImage } from '@airlock/deploy/testing';
import { openLab, startAirlock, type Lab, type LabStack, type Running } from './lab.js';
import { startLoad } from './load.js';
import { docker, listScratchStacks, readRun, waitFor, waitForRegistry } from './run.js';

let lab: Lab;
let stack: LabStack;
let first: string;
let second: string;
let repository: Awaited<ReturnType<Lab['createRepository']>>;

beforeAll(async () => {
  // Its own registry, because this file stops it.
  lab = await openLab(await startRegistry());
  stack = await lab.createStack();
  first = await lab.build();
  repository = await lab.createRepository(['v1.0.0', 'v1.1.0', 'untagged']);
  second = await lab.build({ commit: repository.commits['v1.0.0'] ?? '' });
  for (const image of [first, second]) expect(await deploy(image)).toMatchObject({ status: 0 });
});
afterAll(() => lab?.close());

describe('an unusable image', () => {
  it.each<[string, () => string | Promise<string>, string]>([
    [
      'is in no registry',
      () => `${first.split('@')[0] ?? ''}@sha256:${'0'.repeat(64)}`,
      'expected an image that was built and pushed',
    ],
    [
      'says no commit',
      () => lab.build({ commit: '' }),
      'the label org.opencontainers.image.revision is missing; expected a commit',
    ],
    [
      'has a label that is not a commit',
      () => lab.build({ commit: 'main' }),
      'the label org.opencontainers.image.revision is "main"; expected a commit',
    ],
    ['is not an image of the API', () => buildForeignImage(), 'services.api: exit '],
  ])('is refused when it %s, and nothing is changed', async (_what, create, reason) => {
    const { status, stderr } = await deploy(await create());
    expect(stderr).toContain(reason);
    expect(stderr).not.toMatch(/^\s+at |canary/m);
    expect(status).toBe(3);
    await expectSecondServes();
  });
});

describe('an invalid release record', () => {
  it('is named by every command that reads it, and their fix works', async () => {
    const name = `${stack.name}_release-garbage`;
    const label = `airlock.release.stack=${stack.name}`;
    await docker.run(['config', 'create', '--label', label, name, '-'], { input: '{"record":{"digest":' });
    for (const words of [
      ['status', 'staging'],
      ['deploy', 'staging', first],
      ['rollback', 'staging'],
    ]) {
      const { status, stderr } = await stack.runCommand(words);
      expect(stderr).toContain(`config ${name}: is labelled as a release of airlock but is not a release record`);
      expect(stderr).toContain(`docker config rm ${name}`);
      expect(status).toBe(3);
    }
    await docker.run(['config', 'rm', name]);
    await expectSecondServes();
  });
});

describe('an unavailable registry', () => {
  it('fails a deploy before it starts, but does not block a rollback', async () => {
    const image = await lab.build();
    await registryDo('stop');
    const refused = await deploy(image);
    expect(refused.stderr).toContain('registry: no response for');
    expect(refused.status).toBe(3);
    const back = await stack.runCommand(['rollback', 'staging', '--url', stack.url]);
    expect(back.stderr).toContain('continuing with the commit of the record and the image that the nodes have');
    expect(back.status).toBe(0);
    expect(await stack.servedDigest()).toBe(digestOf(first));
    await registryDo('start');
    expect(await deploy(second)).toMatchObject({ status: 0 });
  });

  it('fails a running deploy before anything is replaced, if no node has the image', async () => {
    const image = await lab.build();
    await docker.attempt(['rmi', '--force', image]);
    const load = startLoad(stack.port, { prefix: 'registry' });
    const running = startAirlock(await stack.words(['deploy', 'staging', image, '--url', stack.url]));
    await waitFor('the rendering', () => Promise.resolve(running.output().includes('render')));
    await registryDo('stop');
    expect(await running.ended).toBe(3);
    await registryDo('start');
    expect(running.output()).toMatch(/No such image|not found|connection refused/i);
    expect((await load.finish()).failed).toBe(0);
    await expectSecondServes();
  });
});

describe('a promotion', () => {
  let production: LabStack;
  let promote: () => Promise<Running>;
  beforeAll(async () => {
    production = await lab.createStack({ SUITE_ENVIRONMENT: 'production', SUITE_STAMP: 'production' });
    const confirmed = ['promote', 'staging', 'production', '--confirm', 'PROMOTE', '--from-stack', stack.name];
    promote = async () =>
      startAirlock(await production.words([...confirmed, '--url', production.url]), { cwd: repository.folder });
  });

  it('refuses a second promotion at the same time', async () => {
    const both = await Promise.all([promote(), promote()]);
    expect((await Promise.all(both.map(({ ended }) => ended))).sort()).toEqual([0, 3]);
    expect(both.map(({ output }) => output()).join()).toContain('expected no other deploy to be running');
    expect(await production.servedDigest()).toBe(digestOf(second));
  });

  it('of a commit without a release tag is refused', async () => {
    expect(await deploy(await lab.build({ commit: repository.commits['untagged'] ?? '' }))).toMatchObject({
      status: 0,
    });
    const refused = await promote();
    expect(await refused.ended).toBe(3);
    expect(refused.output()).toContain(
      `release: the image was built from ${repository.commits['untagged'] ?? ''}, which has no tag vX.Y.Z`,
    );
    expect(await production.servedDigest()).toBe(digestOf(second));
  });

  it('exits with 6 if the registry is unavailable for its tags, and sets them when it is repeated', async () => {
    const third = await lab.build({ commit: repository.commits['v1.1.0'] ?? '' });
    expect(await deploy(third)).toMatchObject({ status: 0 });
    const running = await promote();
    await waitFor('the replicas', () => Promise.resolve(running.output().includes('check every replica')), 120_000);
    await registryDo('stop');
    expect(await running.ended).toBe(6);
    await registryDo('start');
    expect(running.output()).toContain(
      `production serves ${digestOf(third)}, but these steps after the rollout failed`,
    );
    expect(await production.servedDigest()).toBe(digestOf(third));
    expect(await (await promote()).ended).toBe(0);
    const { registry, repository: name } = parseImageReference(third);
    const tagged = await readImage(docker, `${registry}/${name}:v1.1.0`);
    expect(tagged?.digest).toBe(digestOf(third));
  });
});

const digestOf = (image: string): string => image.split('@')[1] ?? '';

function deploy(image: string) {
  return stack.runCommand(['deploy', 'staging', image, '--url', stack.url]);
}

async function expectSecondServes(): Promise<void> {
  expect(await stack.status()).toMatchObject({ ok: true, recorded: digestOf(second), lock: null });
  expect(await stack.servedDigest()).toBe(digestOf(second));
  expect(await listScratchStacks(stack.name)).toEqual([]);
}

/** A registry that keeps its address after a restart. */
async function startRegistry(): Promise<string> {
  const address = `127.0.0.1:${await findFreePort()}`;
  await docker.run(['run', '--detach', '--name', registryName(), '--publish', `${address}:5000`, 'registry:2']);
  await waitForRegistry(address);
  return address;
}

async function registryDo(verb: 'stop' | 'start'): Promise<void> {
  await docker.run([verb, ...(verb === 'stop' ? ['--time', '1'] : []), registryName()]);
  if (verb === 'start') await waitForRegistry(lab.registry);
}

function registryName(): string {
  return `${readRun().prefix}-second`;
}

/** An image with our label but without our programs. */
async function buildForeignImage(): Promise<string> {
  const folder = join(lab.folder, `foreign-${randomBytes(4).toString('hex')}`);
  await mkdir(folder);
  const commit = randomBytes(20).toString('hex');
  const lines = ['FROM node:24-trixie-slim', `LABEL org.opencontainers.image.revision=${commit}`, 'USER 10001:10001'];
  await writeFile(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
  return lab.push([folder]);
}
