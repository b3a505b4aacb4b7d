import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openLab, startAirlock, type Lab, type LabStack, type Running } from './lab.js';
import { startLoad, type Load } from './load.js';
import { report } from './suite-report.js';
import { listScratchStacks, waitFor } from './run.js';
import { openShim } from './shim.js';

/** Every phase of a deploy, by its first progress line. */
const PHASES = [
  'look up',
  'render',
  'check configuration, stamp and schema',
  'no migration is pending',
  'canary: start',
  'roll out',
  'check every replica',
  'smoke http',
];

let lab: Lab;
let stack: LabStack;
let first: string;
let second: string;
let load: Load;

beforeAll(async () => {
  lab = await openLab();
  stack = await lab.createStack();
  first = await lab.build();
  second = await lab.build();
  for (const image of [first, second]) expect(await deploy(image)).toMatchObject({ status: 0 });
  load = startLoad(stack.port, { prefix: 'interrupted' });
});
afterAll(async () => {
  await load?.finish();
  await lab?.close();
});

// The tests depend on each other: each deployer starts from the state that the previous one left.
describe('a deployer that is killed', () => {
  let image: string;
  beforeAll(async () => {
    image = await lab.build();
  });

  it.each(PHASES)('at "%s" leaves a lock with its owner, and the previous release serves', async (phase) => {
    const victim = await start(image);
    await waitFor(phase, () => Promise.resolve(victim.output().includes(phase)), 120_000);
    await kill(victim);
    const { lock, ok, recorded } = await stack.status();
    expect(lock).toMatchObject({ isStale: false, holder: expect.stringMatching(/^ana \(deploy sha256:/) as unknown });
    expect(recorded).toBe(digestOf(second));
    if (PHASES.indexOf(phase) < PHASES.indexOf('roll out')) expect(ok).toBe(true);
    expect([digestOf(second), digestOf(image)]).toContain(await stack.servedDigest());
    const refused = await stack.runCommand(['deploy', 'staging', image, '--actor', 'ben']);
    expect({ status: refused.status, stderr: refused.stderr }).toEqual({
      status: 3,
      stderr: expect.stringContaining('held by ana (deploy sha256:') as unknown,
    });
  });

  it('allows the next deploy to complete', async () => {
    expect(await deploy(image, ...(await takeOver()))).toMatchObject({ status: 0 });
    expect(await stack.status()).toMatchObject({ ok: true, lock: null, recorded: digestOf(image) });
    expect(await listScratchStacks(stack.name)).toEqual([]);
  });

  it('before the release is recorded: status shows the difference, and a rollback restores the last recorded release', async () => {
    const unrecorded = await lab.build();
    const shim = await openShim();
    const victim = await start(unrecorded, shim.env);
    await shim.hold('release');
    await shim.reached('release');
    await kill(victim);
    await shim.release('release');
    const { ok, recorded } = await stack.status();
    expect({ ok, recorded }).toEqual({ ok: false, recorded: digestOf(image) });
    expect(await stack.servedDigest()).toBe(digestOf(unrecorded));
    const said = await stack.runCommand(['status', 'staging']);
    expect(said.stdout).toContain('the running digest is not the recorded one');
    expect(said.status).toBe(1);
    const back = await stack.runCommand(['rollback', 'staging', '--url', stack.url, ...(await takeOver())]);
    expect(back.stderr).toContain(`roll back to ${digestOf(image)}`);
    expect(back.status).toBe(0);
    expect(await stack.status()).toMatchObject({ ok: true, recorded: digestOf(image) });
  });
});

describe('a deployer that is interrupted', () => {
  it('rolls back by itself during a rollout, and leaves no lock', async () => {
    const before = await stack.servedDigest();
    const victim = await start(await lab.build());
    await waitFor('the rollout', () => Promise.resolve(victim.output().includes('roll out')), 120_000);
    victim.interrupt();
    expect(await victim.ended).toBe(4);
    expect(victim.output()).toContain('interrupted');
    expect(await stack.status()).toMatchObject({ ok: true, lock: null, recorded: before });
  });

  it('exits at once while it waits for another deploy, and does not remove the lock of that deploy', async () => {
    const owner = await start(await lab.build());
    await waitFor('the lock', async () => (await stack.status()).lock !== null);
    const waiting = startAirlock(await stack.words(['deploy', 'staging', second, '--actor', 'ben', '--wait', '10m']));
    await waitFor('the wait', () => Promise.resolve(waiting.output().includes('wait for ana')));
    waiting.interrupt();
    expect(await waiting.ended).toBe(3);
    expect(waiting.output()).not.toMatch(/^\s+at /m);
    expect(await owner.ended).toBe(0);
  });
});

describe('an engine that becomes unreachable', () => {
  it('for a moment during a rollout does not fail the deploy', async () => {
    const shim = await openShim();
    const running = await start(await lab.build(), shim.env);
    await waitFor('the rollout', () => Promise.resolve(/roll out[\s\S]*of 2 new/.test(running.output())), 120_000);
    await shim.hold('engine');
    await sleep(4_000);
    await shim.release('engine');
    expect(await running.ended).toBe(0);
    expect(running.output()).toContain('Cannot connect to the Docker daemon');
    expect(await stack.status()).toMatchObject({ ok: true, lock: null });
  });

  it('before the record is written: the deploy exits with 6 and names the missing steps, and the next deploy does them', async () => {
    const shim = await openShim();
    const image = await lab.build();
    const running = await start(image, shim.env);
    await waitFor('the smoke suite', () => Promise.resolve(running.output().includes('smoke http')), 120_000);
    await shim.hold('engine');
    expect(await running.ended).toBe(6);
    expect(running.output()).toContain(`staging serves ${digestOf(image)}, but these steps after the rollout failed`);
    expect(running.output()).toMatch(/the lock \S+ could not be removed/);
    await shim.release('engine');
    expect(await deploy(image, ...(await takeOver()))).toMatchObject({ status: 0 });
    expect(await stack.status()).toMatchObject({ ok: true, lock: null, recorded: digestOf(image) });
  });
});

describe('the clients of the service', () => {
  it('lose no request in all these tests', async () => {
    const figures = await load.finish();
    const { more: twice } = await stack.ledger();
    await report('deployers, engines interrupted', figures, { twice });
    expect(twice).toBe(0);
    expect(figures.failures).toEqual({});
  });
});

const digestOf = (image: string): string => image.split('@')[1] ?? '';

function deploy(image: string, ...more: string[]) {
  return stack.runCommand(['deploy', 'staging', image, '--url', stack.url, ...more]);
}

/** Deploys as ana and takes over an existing lock. */
async function start(image: string, env: Record<string, string> = {}): Promise<Running> {
  const words = ['deploy', 'staging', image, '--url', stack.url, '--actor', 'ana', ...(await takeOver())];
  return startAirlock(await stack.words(words), { env });
}

async function takeOver(): Promise<string[]> {
  const { lock } = await stack.status();
  return lock ? ['--take-over', lock.id] : [];
}

async function kill(victim: Running): Promise<void> {
  victim.kill();
  await victim.ended;
}
