import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openLab, startAirlock, type Lab, type LabStack } from './lab.js';
import { LIGHT_PAUSE_MS, startLoad } from './load.js';
import { report } from './suite-report.js';
import { docker, listScratchStacks, waitFor } from './run.js';

const EXPAND = { name: '1-add-name', phase: 'expand' } as const;
const CONTRACT = { name: '2-drop-title', phase: 'contract', completes: '1-add-name' } as const;

let lab: Lab;
let stack: LabStack;
/** Four releases that replace a column: before it exists, added, used, and the old column dropped. */
let first: string;
let second: string;
let third: string;
let fourth: string;

beforeAll(async () => {
  lab = await openLab();
  stack = await lab.createStack();
  first = await lab.build();
  second = await lab.build({ migrations: [EXPAND] });
  third = await lab.build({ migrations: [EXPAND] });
  fourth = await lab.build({ migrations: [EXPAND, CONTRACT] });
  expect(await deploy(first)).toMatchObject({ status: 0 });
});
afterAll(() => lab.close());

// The tests depend on each other: each leaves the stack as the next one needs it.
describe('a deploy', () => {
  it('refuses to remove a column that the current image still uses (T12)', async () => {
    const result = await deploy(fourth);
    expect(result.status).toBe(3);
    expect(result.stderr).toContain('2-drop-title: removes what the current release sha256:');
    expect(result.stderr).toContain('deploy the release that contains the expand, then this one');
    expect(result.stderr).not.toContain('migrate:');
  });

  it('refuses a second deploy while the first one runs, or waits if told to (T10)', async () => {
    const running = startAirlock(await words(second));
    await waitFor('the lock', async () => (await stack.status()).lock !== null);
    const refused = await deploy(first, '--actor', 'ben');
    expect(refused.status).toBe(3);
    expect(refused.stderr).toMatch(
      /lock .*: held by ana \(deploy sha256:[0-9a-f]{64}, for \d+ s, since .*\); expected no other deploy to be running/,
    );
    expect(refused.stderr).toContain('wait for the lock: --wait 10m');
    const waited = await deploy(third, '--actor', 'ben', '--wait', '3m');
    expect(await running.ended).toBe(0);
    expect(waited).toMatchObject({ status: 0 });
    expect(waited.stderr).toContain('wait for ana');
    expect(await stack.servedDigest()).toBe(digestOf(third));
  });

  it('that is killed half-way leaves a lock with owner and age, and the next deploy completes (T10)', async () => {
    const load = startLoad(stack.port, { prefix: 't10' });
    const victim = startAirlock(await words(fourth));
    await waitFor('the rollout', async () => victim.output().includes('roll out') && (await runsImage(fourth)));
    victim.kill();
    await victim.ended;
    const refused = await deploy(fourth, '--actor', 'ben');
    expect(refused.stderr).toMatch(/held by ana \(deploy .*, for \d+ s/);
    const { lock } = await stack.status();
    const converged = await deploy(fourth, '--actor', 'ben', '--take-over', lock?.id ?? '');
    const figures = await load.finish();
    await report('T10 deployer killed half-way, then again', figures, { twice: await twice() });
    // With its output, which shows the reason of a failure.
    expect([converged.status, converged.stderr]).toEqual([0, expect.stringContaining('smoke http')]);
    expect(figures.failed).toBe(0);
    expect(await stack.status()).toMatchObject({ ok: true, lock: null });
    expect(await listScratchStacks(stack.name)).toEqual([]);
  });

  it('stops at a failing migration, before any new replica starts (T11)', async () => {
    const bad = await lab.build({
      fault: 'migration',
      migrations: [EXPAND, CONTRACT, { name: '3-bad', phase: 'expand' }],
    });
    const load = startLoad(stack.port, { prefix: 't11', pauseMs: LIGHT_PAUSE_MS });
    const result = await deploy(bad);
    const figures = await load.finish();
    await report('T11 failing migration', figures, { twice: await twice() });
    expect(figures.failed).toBe(0);
    expect(result.status).toBe(3);
    expect(result.stderr).toContain('column does not exist (42703)');
    expect(result.stderr).toContain('no replica was replaced, so the running release is unchanged');
    expect(result.stderr).not.toContain('canary: ');
    expect(await runsImage(bad)).toBe(false);
    expect(await stack.status()).toMatchObject({ ok: true, lock: null });
    expect((await stack.records()).at(-1)).toMatchObject({ outcome: 'failed', migrated: false });
  });

  it('refuses a database that is stamped for another environment', async () => {
    const stranger = await lab.createStack({ SUITE_STAMP: 'production' });
    const result = await stranger.runCommand(['deploy', 'staging', first]);
    expect(result.status).toBe(3);
    expect(result.stderr).toContain('is stamped production; expected staging');
    expect(result.stderr).not.toContain('migrate');
  });
});

describe('a rollback', () => {
  it('restores the previous digest under load (T13), which is compatible with the newer schema (T12)', async () => {
    const load = startLoad(stack.port, { prefix: 't13' });
    const result = await stack.runCommand(['rollback', 'staging', '--to', digestOf(second), '--url', stack.url]);
    const figures = await load.finish();
    await report('T13 rollback to the digest before last', figures, { twice: await twice() });
    expect(result).toMatchObject({ status: 0 });
    expect(figures.failed).toBe(0);
    expect(await stack.servedDigest()).toBe(digestOf(second));
  });

  it('refuses an image that is not compatible with the current schema, and names the fix (T12)', async () => {
    const result = await stack.runCommand(['rollback', 'staging', '--to', digestOf(first)]);
    expect(result.status).toBe(3);
    expect(result.stderr).toContain('is not compatible with the schema: 2-drop-title removed what this code uses');
    expect(result.stderr).toContain('fix forward');
    expect(await stack.servedDigest()).toBe(digestOf(second));
  });

  it('and a deploy of the same image is refused too (T12)', async () => {
    const result = await deploy(first);
    expect(result.status).toBe(3);
    expect(result.stderr).toContain('schema: the new image is not compatible with it: 2-drop-title removed');
    expect(await stack.servedDigest()).toBe(digestOf(second));
  });
});

const digestOf = (image: string): string => image.split('@')[1] ?? '';

async function twice(): Promise<number> {
  return (await stack.ledger()).more;
}

function words(image: string): Promise<string[]> {
  return stack.words(['deploy', 'staging', image, '--url', stack.url, '--actor', 'ana']);
}

function deploy(image: string, ...more: string[]) {
  return stack.runCommand(['deploy', 'staging', image, '--url', stack.url, ...more]);
}

async function runsImage(image: string): Promise<boolean> {
  const images = await docker.run(['service', 'ps', '--no-trunc', '--format', '{{.Image}}', `${stack.name}_api`]);
  return images.includes(image);
}
