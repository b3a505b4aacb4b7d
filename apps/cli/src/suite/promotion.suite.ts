import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseImageReference, readImage, listServices } from '@airlock/deploy/testing';
import { type BuildOptions, HERE, openLab, runAirlock, type Lab, type LabStack } from './lab.js';
import { docker } from './run.js';

let lab: Lab;
let stack: LabStack;
let production: LabStack;
let staged: string;
let repository: Awaited<ReturnType<Lab['createRepository']>>;

beforeAll(async () => {
  lab = await openLab();
  repository = await lab.createRepository(['v1.2.3', 'v2.0.0', 'release-candidate']);
  stack = await lab.createStack();
  production = await lab.createStack({ SUITE_ENVIRONMENT: 'production', SUITE_STAMP: 'production' });
  staged = await lab.build({ commit: repository.commits['v1.2.3'] ?? '' });
  expect(await deploy(staged, '--url', stack.url)).toMatchObject({ status: 0 });
});
afterAll(() => lab.close());

// The tests depend on each other, in this order.
describe('production', () => {
  it('refuses an image that was not promoted', async () => {
    const result = await production.runCommand(['deploy', 'production', staged]);
    expect(result.status).toBe(3);
    expect(result.stderr).toContain(
      `production: ${digestOf(staged)} has never served here; expected a digest that has`,
    );
    expect(result.stderr).toContain(`use: airlock promote staging production --digest ${digestOf(staged)}`);
  });
});

describe('a promotion', () => {
  it.each<[string, () => Promise<string>, string[], RegExp | string]>([
    [
      'without confirmation',
      () => Promise.resolve(staged),
      ['--confirm', 'yes'],
      'confirmation: got "yes"; expected PROMOTE',
    ],
    ['of a digest that staging never ran', () => lab.build(), [], 'staging never ran it'],
    [
      'as another release',
      () => Promise.resolve(staged),
      ['--release', 'v2.0.0'],
      /v2\.0\.0: is commit [0-9a-f]{40}, but the image was built from [0-9a-f]{40}; expected the same/,
    ],
    [
      'as a release that does not exist',
      () => Promise.resolve(staged),
      ['--release', 'v9.9.9'],
      'v9.9.9: is not a tag in this clone',
    ],
  ])('%s is refused (T14)', async (_what, create, more, reason) => {
    await expectRefusal(await create(), reason, ...more);
  });

  it('deploys the same digest to production and sets its tags (T14)', async () => {
    const promoted = await promote('--url', production.url);
    expect(promoted.stderr).toContain(`was built from ${repository.commits['v1.2.3'] ?? ''}, which is v1.2.3`);
    expect(promoted).toMatchObject({ status: 0 });
    const { registry, repository: name, digest } = parseImageReference(staged);
    for (const tag of ['production', 'v1.2.3', 'latest']) {
      expect((await readImage(docker, `${registry}/${name}:${tag}`))?.digest).toBe(digest);
    }
    expect(await production.servedDigest()).toBe(await stack.servedDigest());
  });
});

describe('a secret', () => {
  it('is used in its new version from the next deploy on', async () => {
    const words = ['secret', 'put', 'staging', 'secret_key', '--stack', stack.name];
    const put = await runAirlock(words, { input: 'a-value-that-must-not-be-printed' });
    expect(put.stdout.trim()).toBe(`${stack.name}_secret_key_v2`);
    const image = await lab.build({ commit: repository.commits['release-candidate'] ?? '' });
    const deployed = await deploy(image, '--file', join(HERE, 'compose.extra.suite.yml'));
    expect(deployed).toMatchObject({ status: 0 });
    expect(await mountedSecret()).toBe(`${stack.name}_secret_key_v2`);
    expect(await services()).toEqual(['api', 'ledger', 'proxy', 'worker']);
    await expectRefusal(image, 'its smoke suite is not-run');
    for (const text of [put.stderr, deployed.stdout, deployed.stderr, JSON.stringify(await stack.records())])
      expect(text).not.toContain('a-value-that-must-not-be-printed');
  });

  it('is used in its old version after a rollback, without the additions of the later release', async () => {
    const rolledBack = await stack.runCommand(['rollback', 'staging', '--url', stack.url]);
    expect(rolledBack).toMatchObject({ status: 0 });
    expect(await mountedSecret()).toBe(`${stack.name}_secret_key_v1`);
    expect(await services()).toEqual(['api', 'ledger', 'proxy']);
    expect(await stack.servedDigest()).toBe(digestOf(staged));
  });
});

describe('a promotion that requires rehearsals', () => {
  const recent = new Date().toISOString();
  const figures = { rehearsedAt: recent, refreshedAt: recent, longestWaitMs: 12, isWithinBudget: true };
  const rehearsed = { ...figures, serverMajor: 18 };
  const stage = async (migrations: BuildOptions['migrations']) => {
    const image = await lab.build({ commit: repository.commits['v2.0.0'] ?? '', migrations });
    expect(await deploy(image, '--url', stack.url)).toMatchObject({ status: 0 });
    return image;
  };

  it('is refused for each pending migration without one, and changes nothing', async () => {
    const image = await stage([
      { name: 'm-plain', phase: 'expand' },
      { name: 'm-slow', phase: 'expand', rehearsal: { ...rehearsed, isWithinBudget: false } },
      { name: 'm-short', phase: 'expand', rehearsal: rehearsed },
    ]);
    const served = await production.servedDigest();
    const result = await promote('--digest', digestOf(image), '--rehearsed-within', '24h');
    expect(result.stderr).toMatch(/m-plain: was not rehearsed .*\nm-slow: exceeded a budget/);
    expect(result.stderr).not.toContain('m-short');
    expect(result.stderr).toContain('airlock db migrate --rehearse');
    expect(result.status).toBe(3);
    expect(await production.servedDigest()).toBe(served);
  });

  it('is accepted with the rehearsals in the record of staging', async () => {
    const image = await stage([
      { name: 'm-plain', phase: 'expand', rehearsal: rehearsed },
      { name: 'm-slow', phase: 'expand', rehearsal: rehearsed },
      { name: 'm-short', phase: 'expand', rehearsal: rehearsed },
    ]);
    expect(await promote('--digest', digestOf(image), '--rehearsed-within', '24h')).toMatchObject({ status: 0 });
    expect((await production.records()).at(-1)).toMatchObject({ digest: digestOf(image), outcome: 'succeeded' });
  });
});

const digestOf = (image: string): string => image.split('@')[1] ?? '';

function promote(...more: string[]) {
  const words = ['promote', 'staging', 'production', '--confirm', 'PROMOTE', '--from-stack', stack.name, ...more];
  return production.runCommand(words, {}, { cwd: repository.folder });
}

async function expectRefusal(image: string, reason: string | RegExp, ...more: string[]): Promise<void> {
  const result = await promote('--digest', digestOf(image), ...more);
  expect(result.stderr).toMatch(reason);
  expect(result.status).toBe(3);
}

function deploy(image: string, ...more: string[]) {
  return stack.runCommand(['deploy', 'staging', image, ...more]);
}

async function services(): Promise<string[]> {
  const names = await listServices(docker, stack.name);
  return names.map((name) => name.replace(`${stack.name}_`, '')).sort();
}

async function mountedSecret(): Promise<string> {
  const format = '{{range .Spec.TaskTemplate.ContainerSpec.Secrets}}{{.SecretName}}{{end}}';
  return (await docker.run(['service', 'inspect', '--format', format, `${stack.name}_api`])).trim();
}
