import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { probedResource } from '@airlock/model/probed-resource';
import { openLab, type Lab, type LabStack } from './lab.js';
import { LIGHT_PAUSE_MS, startLoad, type Load } from './load.js';
import { report } from './suite-report.js';
import { docker } from './run.js';

let lab: Lab;
let stack: LabStack;
let good: string;
let load: Load;

beforeAll(async () => {
  lab = await openLab();
  stack = await lab.createStack();
  good = await lab.build();
  expect(await stack.runCommand(['deploy', 'staging', good, '--url', stack.url])).toMatchObject({ status: 0 });
});
afterAll(() => lab.close());

afterEach(async () => {
  await load.finish();
});

describe('a bad image', () => {
  // Most end by themselves, long before the limit; an image that only lies is found by the limit.
  it.each([
    ['exits', 'the replica of the new image exited', '90s'],
    ['never-healthy', 'the replica of the new image exited', '90s'],
    ['dies-after-healthy', 'the replica of the new image exited', '90s'],
    ['lies-about-start', 'readyz 500', '20s'],
    ['not-ready', 'the replica of the new image exited', '90s'],
    ['wrong-digest', 'digest sha256:0', '90s'],
  ])('that %s is found by the canary: nothing is replaced (T3)', async (fault, reason, limit) => {
    load = beginLoad({ pauseMs: LIGHT_PAUSE_MS });
    const bad = await lab.build({ fault });
    const result = await stack.runCommand(['deploy', 'staging', bad, '--timeout', limit, '--soak', '8s']);
    expect(result.stderr).toContain('canary: ');
    expect(result.stderr).toContain(reason);
    expect(result.status).toBe(3);
    expect(result.stderr).not.toContain('roll out');
    await expectGoodServes(`T3 ${fault}`);
  });

  it('that exits after the canary is rolled back by Swarm, and the exit code reports it (T3)', async () => {
    load = beginLoad();
    const late = await lab.build({ fault: 'dies-late' });
    // As in the overlays: Swarm must still be monitoring when the image exits.
    const result = await stack.runCommand(['deploy', 'staging', late, '--url', stack.url], { SUITE_MONITOR: '30s' });
    expect(result.stderr).toMatch(/rollback_started|rollback_completed/);
    expect(result.stderr).toContain(`rolled back: ${good.split('@')[1]} serves`);
    expect(result.status).toBe(4);
    // The new replicas served, so the requests in progress at their exit are lost.
    await expectGoodServes('T3 dies late', { lostAtMost: 0.02 });
    expect((await stack.records()).at(-1)).toMatchObject({ outcome: 'rolled-back', digest: late.split('@')[1] });
  });

  it('that serves but fails the smoke suite is rolled back (T3)', async () => {
    load = beginLoad();
    const open = await lab.build({ fault: 'open-door' });
    const result = await stack.runCommand(['deploy', 'staging', open, '--url', stack.url]);
    expect(result.stderr).toContain(
      `failed   ${probedResource.plural} are not shown without a token: status 200; expected 401`,
    );
    expect(result.status).toBe(4);
    await expectGoodServes('T3 fails the smoke suite');
    expect((await stack.records()).at(-1)).toMatchObject({ outcome: 'rolled-back', smoke: 'failed' });
  });
});

describe('an image that cannot be scheduled', () => {
  it('fails at our time limit, because Swarm has none (T4)', async () => {
    load = beginLoad({ pauseMs: LIGHT_PAUSE_MS });
    const variables = { SUITE_CONSTRAINT: 'node.labels.nowhere == true' };
    const result = await stack.runCommand(['deploy', 'staging', await lab.build(), '--timeout', '15s'], variables);
    expect(result.stderr).toContain('still running after 15 s (pending, no suitable node');
    expect(result.status).toBe(3);
    await expectGoodServes('T4 cannot be scheduled');
  });

  it('is rolled back when only the replicas cannot be placed (T4)', async () => {
    load = beginLoad();
    // The canary fits; the third replica and all later ones do not.
    const free = await freeMemoryMb();
    const variables = { SUITE_RESERVED: `${Math.floor(free * 0.4)}M`, SUITE_REPLICAS: '4' };
    const result = await stack.runCommand(['deploy', 'staging', await lab.build(), '--timeout', '25s'], variables);
    expect(result.stderr).toMatch(/not complete after 25 s|insufficient resources/);
    expect(result.status).toBe(4);
    await expectGoodServes('T4 replicas cannot be placed');
  });
});

function beginLoad(options: { pauseMs?: number } = {}): Load {
  return startLoad(stack.port, { prefix: randomBytes(3).toString('hex'), ...options });
}

async function expectGoodServes(what: string, { lostAtMost } = { lostAtMost: 0 }): Promise<void> {
  const figures = await load.finish();
  const { more: twice } = await stack.ledger();
  await report(what, figures, { twice });
  expect(twice).toBe(0);
  expect(figures.failed).toBeLessThanOrEqual(figures.requests * lostAtMost);
  expect(await stack.status()).toMatchObject({
    ok: true,
    recorded: good.split('@')[1],
    services: [{ name: 'api', running: 2, wanted: 2, digest: good.split('@')[1] }],
    lock: null,
  });
  expect(await stack.servedDigest()).toBe(good.split('@')[1]);
}

async function freeMemoryMb(): Promise<number> {
  return Number(await docker.run(['info', '--format', '{{.MemTotal}}'])) / 1024 / 1024;
}
