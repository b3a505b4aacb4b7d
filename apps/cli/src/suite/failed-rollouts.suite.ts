import { describe, expect, it } from '@jest/globals';
import { probedResource } from '@airlock/model/probed-resource';
import { useGoodStack } from './good-stack.js';
import { LIGHT_PAUSE_MS } from './load.js';
import { docker } from './run.js';

const good = useGoodStack();

describe('a bad image', () => {
  it('that exits after the canary is rolled back by Swarm, and the exit code reports it (T3)', async () => {
    good.beginLoad();
    const late = await good.lab.build({ fault: 'dies-late' });
    // As in the overlays: Swarm must still be monitoring when the image exits.
    const result = await good.stack.runCommand(['deploy', 'staging', late, '--url', good.stack.url], {
      SUITE_MONITOR: '30s',
    });
    expect(result.stderr).toMatch(/rollback_started|rollback_completed/);
    expect(result.stderr).toContain(`rolled back: ${good.digest} serves`);
    expect(result.status).toBe(4);
    // The new replicas served, so the requests in progress at their exit are lost.
    await good.expectGoodServes('T3 dies late', { lostAtMost: 0.02 });
    expect((await good.stack.records()).at(-1)).toMatchObject({ outcome: 'rolled-back', digest: late.split('@')[1] });
  });

  it('that serves but fails the smoke suite is rolled back (T3)', async () => {
    good.beginLoad();
    const open = await good.lab.build({ fault: 'open-door' });
    const result = await good.stack.runCommand(['deploy', 'staging', open, '--url', good.stack.url]);
    expect(result.stderr).toContain(
      `failed   ${probedResource.plural} are not shown without a token: status 200; expected 401`,
    );
    expect(result.status).toBe(4);
    await good.expectGoodServes('T3 fails the smoke suite');
    expect((await good.stack.records()).at(-1)).toMatchObject({ outcome: 'rolled-back', smoke: 'failed' });
  });
});

describe('an image that cannot be scheduled', () => {
  it('fails at our time limit, because Swarm has none (T4)', async () => {
    good.beginLoad({ pauseMs: LIGHT_PAUSE_MS });
    const variables = { SUITE_CONSTRAINT: 'node.labels.nowhere == true' };
    const result = await good.stack.runCommand(
      ['deploy', 'staging', await good.lab.build(), '--timeout', '15s'],
      variables,
    );
    expect(result.stderr).toContain('still running after 15 s (pending, no suitable node');
    expect(result.status).toBe(3);
    await good.expectGoodServes('T4 cannot be scheduled');
  });

  it('is rolled back when only the replicas cannot be placed (T4)', async () => {
    good.beginLoad();
    // The canary fits; the third replica and all later ones do not.
    const free = await freeMemoryMb();
    const variables = { SUITE_RESERVED: `${Math.floor(free * 0.4)}M`, SUITE_REPLICAS: '4' };
    const result = await good.stack.runCommand(
      ['deploy', 'staging', await good.lab.build(), '--timeout', '60s'],
      variables,
    );
    expect(result.stderr).toMatch(/not complete after 60 s|insufficient resources/);
    expect(result.status).toBe(4);
    await good.expectGoodServes('T4 replicas cannot be placed');
  });
});

async function freeMemoryMb(): Promise<number> {
  return Number(await docker.run(['info', '--format', '{{.MemTotal}}'])) / 1024 / 1024;
}
