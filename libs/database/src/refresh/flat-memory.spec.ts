import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const HOOKS = new URL('../../../../tools/typescript.mjs', import.meta.url).href;
const MODULE = new URL('./flat-memory.ts', import.meta.url).href;

/** As a refresh does: strings and buffers that live for a few turns. */
const WORK = `async () => {
  let kept = [];
  for (let turn = 0; turn < 300; turn += 1) {
    kept.push(Array.from({ length: 20_000 }, (_, n) => 'text ' + turn + n), ...Array.from({ length: 40 }, () => Buffer.alloc(65_536, 1)));
    if (turn % 4 === 0) kept = [];
    await new Promise((done) => setTimeout(done, 1));
  }
}`;

async function measurePeak(run: string): Promise<number> {
  const code = `import { withFlatMemory } from ${JSON.stringify(MODULE)}; await ${run}(${WORK});
    console.log(process.resourceUsage().maxRSS / 1024)`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import',
    HOOKS,
    '--input-type=module',
    '-e',
    code,
  ]);
  return Number(stdout);
}

describe('withFlatMemory', () => {
  it('keeps the peak of work that makes much garbage far below the one that V8 chooses', async () => {
    const [flat, free] = [await measurePeak('withFlatMemory'), await measurePeak('(async (work) => work())')];
    expect({ flat, free, isFlat: flat < 0.75 * free }).toMatchObject({ isFlat: true });
  }, 60_000);
});
