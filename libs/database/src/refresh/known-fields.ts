import { detach } from './masks/detach.js';

const MOST_KNOWN = 60_000;
/** After so many fields it is clear whether the values of a column repeat. */
const TRIAL = 1000;
const LEAST_HITS = 0.1;

/** The masked fields of a column by the fields of the source, as long as its values repeat. */
export class KnownFields {
  readonly #trial: number;
  #fields = new Map<string, string>();
  #hits = 0;
  #isUseless = false;

  /** @param isShared other tables have the values too, so that they may repeat later */
  constructor({ isShared }: { isShared: boolean }) {
    this.#trial = isShared ? MOST_KNOWN : TRIAL;
  }

  get(field: string): string | undefined {
    if (this.#isUseless) return undefined;
    const known = this.#fields.get(field);
    if (known !== undefined) this.#hits += 1;
    return known;
  }

  set(field: string, masked: string): void {
    if (this.#isUseless) return;
    this.#fields.set(detach(field), detach(masked));
    const { size } = this.#fields;
    if (size === this.#trial) this.#isUseless = this.#hits < LEAST_HITS * size;
    if (this.#isUseless || size >= MOST_KNOWN) {
      this.#fields = new Map();
      this.#hits = 0;
    }
  }
}
