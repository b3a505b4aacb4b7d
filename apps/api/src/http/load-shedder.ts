import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Problem } from './problem.js';

export interface LoadShedderOptions {
  /** Who waits for a connection to the database. */
  readonly waiting: () => number;
  readonly poolSize: number;
}

const SAMPLE_MS = 500;
const RESOLUTION_MS = 10;
const MAX_DELAY_MS = 500;
/** By then a request at the end of the queue would wait for longer than anyone does. */
const MAX_WAITING_PER_CONNECTION = 50;
const NANOSECONDS_PER_MS = 1e6;

/** Turns requests away before any work when they could not be answered in time: the ones that are in stay fast. */
export class LoadShedder {
  readonly #options: LoadShedderOptions;
  readonly #delay: ReturnType<typeof monitorEventLoopDelay>;
  readonly #timer: NodeJS.Timeout;
  #isSlow = false;

  constructor(options: LoadShedderOptions) {
    this.#options = options;
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delay.enable();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS).unref();
  }

  /** @throws Problem overloaded */
  admit(): void {
    const { waiting, poolSize } = this.#options;
    if (this.#isSlow || waiting() > poolSize * MAX_WAITING_PER_CONNECTION) {
      throw new Problem('overloaded', { headers: { 'retry-after': '1' } });
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  #sample(): void {
    this.#isSlow = this.#delay.mean / NANOSECONDS_PER_MS > MAX_DELAY_MS;
    this.#delay.reset();
  }
}
