import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import { openLab, type Lab, type LabStack } from './lab.js';
import { startLoad, type Load } from './load.js';
import { report } from './suite-report.js';

/** A stack that serves a good image, which must still serve after each deploy of a bad one. */
export class GoodStack {
  lab!: Lab;
  stack!: LabStack;
  digest = '';
  #load: Load | undefined;

  async deploy(): Promise<void> {
    this.lab = await openLab();
    this.stack = await this.lab.createStack();
    const image = await this.lab.build();
    this.digest = image.split('@')[1] ?? '';
    const deployed = await this.stack.runCommand(['deploy', 'staging', image, '--url', this.stack.url]);
    expect(deployed).toMatchObject({ status: 0 });
  }

  /** Sends requests until `expectGoodServes`, or until the end of the test. */
  beginLoad(options: { pauseMs?: number } = {}): void {
    this.#load = startLoad(this.stack.port, { prefix: randomBytes(3).toString('hex'), ...options });
  }

  async endLoad(): Promise<void> {
    await this.#load?.finish();
  }

  async expectGoodServes(what: string, { lostAtMost } = { lostAtMost: 0 }): Promise<void> {
    if (!this.#load) throw new Error('no load was begun');
    const { stack, digest } = this;
    const figures = await this.#load.finish();
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
  }
}

/** One for the test file. */
export function useGoodStack(): GoodStack {
  const good = new GoodStack();
  beforeAll(() => good.deploy());
  afterEach(() => good.endLoad());
  afterAll(() => good.lab.close());
  return good;
}
