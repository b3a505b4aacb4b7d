import { detach } from './masks/detach.js';

const MOST_KNOWN = 20_000;
/** After so many questions it is clear whether the values of a column repeat. */
const TRIAL = 1000;
const LEAST_HITS = TRIAL / 10;

/** The masked fields of a column by the fields of the source, as long as its values repeat. */
export class KnownFields {
  #fields = new Map<string, string>();
  #missed = 0;
  #hits = 0;
  #isUseless = false;

  get(field: string): string | undefined {
    if (this.#isUseless) return undefined;
    const known = this.#fields.get(field);
    if (known !== undefined) this.#hits += 1;
    return known;
  }

  set(field: string, masked: string): void {
    if (this.#isUseless) return;
    this.#missed += 1;
    if (this.#fields.size >= MOST_KNOWN) this.#fields = new Map();
    this.#fields.set(detach(field), detach(masked));
    if (this.#missed !== TRIAL) return;
    this.#isUseless = this.#hits < LEAST_HITS;
    if (this.#isUseless) this.#fields = new Map();
  }
}
