import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execute } from '../docker.js';
import { parseImageReference } from '../image-reference.js';
import { createRegistryClient } from '../registry/client.js';
import { docker, openLab, runAirlock, type Lab, type LabStack } from './lab.js';

let lab: Lab;
let stack: LabStack;
let staged: string;

beforeAll(async () => {
  lab = await openLab();
  stack = await lab.createStack();
  staged = await lab.build();
  expect(await deploy(staged)).toMatchObject({ status: 0 });
});
afterAll(() => lab.close());

// One story, in order.
describe('a promotion', () => {
  it('brings the very digest to production, and the tags keep it (T14)', async () => {
    const production = await lab.createStack({ SUITE_ENVIRONMENT: 'production', SUITE_STAMP: 'production' });
    const source = ['--from-stack', stack.name];
    const refused = await production.airlock(['promote', 'staging', 'production', '--confirm', 'yes', ...source]);
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain('confirmation: "yes"; expected PROMOTE');
    const promoted = await production.airlock([
      ...['promote', 'staging', 'production', '--confirm', 'PROMOTE', '--url', production.url],
      ...source,
    ]);
    expect(promoted).toMatchObject({ status: 0 });
    const image = parseImageReference(staged);
    const manifest = await createRegistryClient(image.registry).readManifest(image.repository, 'production');
    expect(manifest?.digest).toBe(image.digest);
    const version = (await (await fetch(`${production.url}/version`)).json()) as { digest: string };
    expect(version.digest).toBe(await servedDigest());
    await production.remove();
  });

  it.each([
    ['that staging never ran', () => lab.build(), 'staging never ran it'],
    ['that staging did not smoke-test', () => deployUnseen(), 'its smoke suite is not-run'],
  ])('refuses a digest %s (T14)', async (_what, create, reason) => {
    const digest = (await create()).split('@')[1] ?? '';
    const words = [
      'promote',
      'staging',
      'production',
      '--confirm',
      'PROMOTE',
      '--digest',
      digest,
      '--from-stack',
      stack.name,
    ];
    const result = await runAirlock(words);
    expect(result.status).toBe(3);
    expect(result.stderr).toContain(reason);
  });

  it('refuses a release whose commit is not the one of the image (T14)', async () => {
    const tag = 'v0.0.0';
    await execute('git', ['tag', '--force', tag]);
    try {
      const words = ['promote', 'staging', 'production', '--confirm', 'PROMOTE', '--release', tag];
      const result = await runAirlock([...words, '--digest', staged.split('@')[1] ?? '', '--from-stack', stack.name]);
      expect(result.status).toBe(3);
      expect(result.stderr).toMatch(
        /v0\.0\.0: is commit [0-9a-f]{40}, the image was built from [0-9a-f]{40}; expected the same/,
      );
    } finally {
      await execute('git', ['tag', '--delete', tag]);
    }
  });
});

describe('a secret', () => {
  it('serves in its new version from the next deploy on, and in its old one after a rollback', async () => {
    const put = await runAirlock(['secret', 'put', 'staging', 'secret_key', '--stack', stack.name], 'new');
    expect(put.stdout.trim()).toBe(`${stack.name}_secret_key_v2`);
    expect(await deploy(await lab.build())).toMatchObject({ status: 0 });
    expect(await mountedSecret()).toBe(`${stack.name}_secret_key_v2`);
    expect(await stack.airlock(['rollback', 'staging', '--to', staged.split('@')[1] ?? ''])).toMatchObject({
      status: 0,
    });
    expect(await mountedSecret()).toBe(`${stack.name}_secret_key_v1`);
  });
});

function deploy(image: string) {
  return stack.airlock(['deploy', 'staging', image, '--url', stack.url]);
}

async function deployUnseen(): Promise<string> {
  const image = await lab.build();
  expect(await stack.airlock(['deploy', 'staging', image])).toMatchObject({ status: 0 });
  return image;
}

async function servedDigest(): Promise<string> {
  return ((await (await fetch(`${stack.url}/version`)).json()) as { digest: string }).digest;
}

async function mountedSecret(): Promise<string> {
  const format = '{{range .Spec.TaskTemplate.ContainerSpec.Secrets}}{{.SecretName}}{{end}}';
  return (await docker.run(['service', 'inspect', '--format', format, `${stack.name}_api`])).trim();
}
