const FIRST_SLOTS = 1 << 12;
const MOST_SLOTS = 1 << 19;
const MOST_LOAD = 0.75;

/** More are sampled. */
export const MOST_HASHES = MOST_SLOTS * MOST_LOAD;

/**
 * 64-bit hashes in flat memory: at most 5 MB, however many are added. When it is full, it keeps every second one, chosen
 * by the hash itself, so that a value is kept or left out wherever it occurs.
 */
export class HashSet {
  /** Halves of a hash, one after the other. */
  #slots = new Int32Array(2 * FIRST_SLOTS);
  #isFound = new Uint8Array(FIRST_SLOTS);
  #count = 0;
  /** Bits of a hash that must be 0 for it to be kept. */
  #leftOut = 0;
  readonly #mostSlots: number;

  /** @param most of the hashes, about */
  constructor(most = MOST_HASHES) {
    this.#mostSlots = Math.max(FIRST_SLOTS, 2 ** Math.ceil(Math.log2(most)));
  }

  add(high: number, low: number): void {
    if ((high & this.#leftOut) !== 0) return;
    const slot = this.#findSlot(high, low);
    if (this.#isTaken(slot)) return;
    this.#put(slot, high, low);
    this.#count += 1;
    if (this.#count > this.#isFound.length * MOST_LOAD) this.#makeRoom();
  }

  /** @returns whether the hash is in the set and was not found before */
  findFirst(high: number, low: number): boolean {
    const slot = this.#findSlot(high, low);
    if (!this.#isTaken(slot) || this.#isFound[slot] === 1) return false;
    this.#isFound[slot] = 1;
    return true;
  }

  /** Whether it left out hashes. */
  get isSampled(): boolean {
    return this.#leftOut !== 0;
  }

  /** Keeps its memory, which the next table needs again. */
  clear(): void {
    this.#slots.fill(0);
    this.#isFound.fill(0);
    this.#count = 0;
    this.#leftOut = 0;
  }

  /** A slot of two zeros is free, so that one hash of 2^64 is never found: 0. */
  #findSlot(high: number, low: number): number {
    const last = this.#isFound.length - 1;
    let slot = low & last;
    while (this.#isTaken(slot) && (this.#slots[2 * slot] !== high || this.#slots[2 * slot + 1] !== low))
      slot = (slot + 1) & last;
    return slot;
  }

  #isTaken(slot: number): boolean {
    return this.#slots[2 * slot] !== 0 || this.#slots[2 * slot + 1] !== 0;
  }

  #put(slot: number, high: number, low: number): void {
    this.#slots[2 * slot] = high;
    this.#slots[2 * slot + 1] = low;
  }

  #makeRoom(): void {
    const old = this.#slots;
    const slots = Math.min(this.#isFound.length * 2, this.#mostSlots);
    if (slots === this.#isFound.length) this.#leftOut = (this.#leftOut << 1) | 1;
    this.#slots = new Int32Array(2 * slots);
    this.#isFound = new Uint8Array(slots);
    this.#count = 0;
    for (let at = 0; at < old.length; at += 2) if (old[at] !== 0 || old[at + 1] !== 0) this.add(old[at]!, old[at + 1]!);
  }
}
