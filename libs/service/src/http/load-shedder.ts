import { Problem } from '../problems/problem.js';

export interface LoadShedderOptions {
  /** Who waits for a connection to the database. */
  readonly waiting: () => number;
  readonly poolSize: number;
}

const TURN_MS = 100;
/** A timer that is late by this much tells that whatever comes waits as long before it is even looked at. */
const MAX_DELAY_MS = 250;
/** One long stretch, such as a machine that was held, is over by the time it is seen: only what goes on is a reason. */
const MAX_LATE_TURNS = 3;
/** By then a request at the end of the queue would wait for longer than anyone does. */
const MAX_WAITING_PER_CONNECTION = 50;

/** Turns requests away before any work when they could not be answered in time: the ones that are in stay fast. */
export class LoadShedder {
  readonly #options: LoadShedderOptions;
  readonly #timer: NodeJS.Timeout;
  #lateTurns = 0;
  #lastTurnAt = performance.now();

  constructor(options: LoadShedderOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#noteTurn(), TURN_MS).unref();
  }

  /** @throws Problem overloaded */
  admit(): void {
    const { waiting, poolSize } = this.#options;
    if (this.#lateTurns >= MAX_LATE_TURNS || waiting() > poolSize * MAX_WAITING_PER_CONNECTION) {
      throw new Problem('overloaded', { headers: { 'retry-after': '1' } });
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** By a timer and not by Node's histogram of delays: that one records nothing while each turn takes as long as a sample. */
  #noteTurn(): void {
    const now = performance.now();
    const isLate = now - this.#lastTurnAt - TURN_MS > MAX_DELAY_MS;
    this.#lateTurns = isLate ? this.#lateTurns + 1 : 0;
    this.#lastTurnAt = now;
  }
}
