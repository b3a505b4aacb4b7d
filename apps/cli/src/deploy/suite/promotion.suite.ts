import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execute } from '../docker.js';
import { parseImageReference } from '../image-reference.js';
import { createRegistryClient } from '../registry/client.js';
import { openLab, runAirlock, type Lab, type LabStack } from './lab.js';
import { docker } from './run.js';

let lab: Lab;
let stack: LabStack;
let staged: string;

beforeAll(async () => {
  lab = await openLab();
  stack = await lab.createStack();
  staged = await lab.build();
  expect(await deploy(staged, '--url', stack.url)).toMatchObject({ status: 0 });
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
  });

  it('refuses a digest that staging never ran (T14)', async () => {
    await expectRefusal(await lab.build(), 'staging never ran it');
  });

  it('refuses a release whose commit is not the one of the image (T14)', async () => {
    const tag = 'v0.0.0';
    await execute('git', ['tag', '--force', tag]);
    try {
      await expectRefusal(
        staged,
        /v0\.0\.0: is commit [0-9a-f]{40}, the image was built from [0-9a-f]{40}; expected the same/,
        ...['--release', tag],
      );
    } finally {
      await execute('git', ['tag', '--delete', tag]);
    }
  });
});

describe('a secret', () => {
  it('serves in its new version from the next deploy on', async () => {
    const words = ['secret', 'put', 'staging', 'secret_key', '--stack', stack.name];
    const put = await runAirlock(words, 'a-value-that-nobody-prints');
    expect(put.stdout.trim()).toBe(`${stack.name}_secret_key_v2`);
    const image = await lab.build();
    const deployed = await deploy(image);
    expect(deployed).toMatchObject({ status: 0 });
    expect(await mountedSecret()).toBe(`${stack.name}_secret_key_v2`);
    await expectRefusal(image, 'its smoke suite is not-run');
    for (const text of [put.stderr, deployed.stdout, deployed.stderr, JSON.stringify(await stack.records())])
      expect(text).not.toContain('a-value-that-nobody-prints');
  });

  it('serves in its old version after a rollback', async () => {
    const rolledBack = await stack.airlock(['rollback', 'staging', '--url', stack.url]);
    expect(rolledBack).toMatchObject({ status: 0 });
    expect(await mountedSecret()).toBe(`${stack.name}_secret_key_v1`);
    expect(await servedDigest()).toBe(staged.split('@')[1]);
  });
});

async function expectRefusal(image: string, reason: string | RegExp, ...more: string[]): Promise<void> {
  const words = ['promote', 'staging', 'production', '--confirm', 'PROMOTE', '--from-stack', stack.name];
  const result = await runAirlock([...words, '--digest', image.split('@')[1] ?? '', ...more]);
  expect(result.status).toBe(3);
  expect(result.stderr).toMatch(reason);
}

function deploy(image: string, ...more: string[]) {
  return stack.airlock(['deploy', 'staging', image, ...more]);
}

async function servedDigest(): Promise<string> {
  return ((await (await fetch(`${stack.url}/version`)).json()) as { digest: string }).digest;
}

async function mountedSecret(): Promise<string> {
  const format = '{{range .Spec.TaskTemplate.ContainerSpec.Secrets}}{{.SecretName}}{{end}}';
  return (await docker.run(['service', 'inspect', '--format', format, `${stack.name}_api`])).trim();
}
