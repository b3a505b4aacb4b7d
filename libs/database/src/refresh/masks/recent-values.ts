import { detach } from './detach.js';

const MOST_VALUES = 60_000;

/** Remembers results, because most rows are about a person or a day that other rows are about too. */
export class RecentValues<Of extends string | number, Result> {
  readonly #compute: (of: Of) => Result;
  #results = new Map<Of, Result>();
  #last: Of | undefined;
  #lastResult: Result | undefined;

  constructor(compute: (of: Of) => Result) {
    this.#compute = compute;
  }

  get(of: Of): Result {
    if (of === this.#last) return this.#lastResult!;
    let result = this.#results.get(of);
    if (result === undefined) {
      result = this.#compute(of);
      if (this.#results.size >= MOST_VALUES) this.#results = new Map();
      this.#results.set(typeof of === 'string' ? (detach(of) as Of) : of, result);
    }
    this.#last = of;
    return (this.#lastResult = result);
  }
}
