import { describe, expect, it } from '@jest/globals';
import { useGoodStack } from './good-stack.js';
import { LIGHT_PAUSE_MS } from './load.js';

const good = useGoodStack();

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
    good.beginLoad({ pauseMs: LIGHT_PAUSE_MS });
    const bad = await good.lab.build({ fault });
    const result = await good.stack.runCommand(['deploy', 'staging', bad, '--timeout', limit, '--soak', '8s']);
    expect(result.stderr).toContain('canary: ');
    expect(result.stderr).toContain(reason);
    expect(result.status).toBe(3);
    expect(result.stderr).not.toContain('roll out');
    await good.expectGoodServes(`T3 ${fault}`);
  });
});
