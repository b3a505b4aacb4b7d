import { randomBytes } from 'node:crypto';
import { expect } from '@jest/globals';
import { openLab, type Lab, type LabStack } from './lab.js';
import { startLoad, type Load } from './load.js';
import { report } from './suite-report.js';

/** A stack that serves a good image, which must still serve after each deploy of a bad one. */
export interface GoodStack {
  readonly lab: Lab;
  readonly stack: LabStack;
  readonly digest: string;
  /** Sends requests until the next {@link expectGoodServes}, or until it closes. */
  beginLoad(options?: { pauseMs?: number }): void;
  expectGoodServes(what: string, options?: { lostAtMost: number }): Promise<void>;
  endLoad(): Promise<void>;
}

export async function deployGoodStack(): Promise<GoodStack> {
  const lab = await openLab();
  const stack = await lab.createStack();
  const good = await lab.build();
  const digest = good.split('@')[1] ?? '';
  expect(await stack.runCommand(['deploy', 'staging', good, '--url', stack.url])).toMatchObject({ status: 0 });
  let load: Load | undefined;
  return {
    lab,
    stack,
    digest,
    beginLoad(options = {}) {
      load = startLoad(stack.port, { prefix: randomBytes(3).toString('hex'), ...options });
    },
    async endLoad() {
      await load?.finish();
    },
    async expectGoodServes(what, { lostAtMost } = { lostAtMost: 0 }) {
      if (!load) throw new Error('no load was begun');
      const figures = await load.finish();
      const { more: twice } = await stack.ledger();
      await report(what, figures, { twice });
      expect(twice).toBe(0);
      expect(figures.failed).toBeLessThanOrEqual(figures.requests * lostAtMost);
      expect(await stack.status()).toMatchObject({
        ok: true,
        recorded: digest,
        services: [{ name: 'api', running: 2, wanted: 2, digest }],
        lock: null,
      });
      expect(await stack.servedDigest()).toBe(digest);
    },
  };
}
