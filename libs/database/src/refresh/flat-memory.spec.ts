import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const HOOKS = new URL('../../../../tools/typescript.mjs', import.meta.url).href;
const MODULE = new URL('./flat-memory.ts', import.meta.url).href;

/** Waits for a collection that a program asked for: V8 alone would leave so little where there is room. */
const WORK = `async () => {
  const forced = new Promise((done) => new PerformanceObserver((list) => {
    if (list.getEntries().some(({ detail }) => detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED)) done();
  }).observe({ entryTypes: ['gc'] }));
  const unused = new WeakRef(Buffer.alloc(16 * 1024 ** 2, 1));
  const waiting = setInterval(() => undefined, 1_000);
  await forced;
  clearInterval(waiting);
  console.log(unused.deref() === undefined ? 'collected' : 'kept');
}`;

describe('withFlatMemory', () => {
  it('frees what is no longer used, also while there is room', async () => {
    const code = `import { constants, PerformanceObserver } from 'node:perf_hooks'; import { withFlatMemory } from ${JSON.stringify(MODULE)}; await withFlatMemory(${WORK})`;
    const args = ['--import', HOOKS, '--input-type=module', '-e', code];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 50_000 });
    expect(stdout).toBe('collected\n');
  });
});
