import type { KeyedHash } from './keyed-hash.js';

const ROUNDS = 6;
const LARGEST_SAFE_DIGITS = 15;
const LARGEST_TABLE = 100_000;

/** Maps each number below `size` to another one, and no two to the same. */
type Permutation = (value: bigint) => bigint;

/**
 * Numbers keep their sign and their count of digits, so that a range that a type or a check demands still holds. Within
 * one count the map is a bijection without fixed points: unique values stay unique, and no value stays what it was.
 */
export class DigitPermuter {
  readonly #hash: KeyedHash;
  readonly #permutations = new Map<string, Permutation>();

  constructor(hash: KeyedHash) {
    this.#hash = hash;
  }

  /** @param digits decimal digits without sign @param most the largest number that the type holds */
  permute(digits: string, most: bigint): string {
    const bare = digits.replace(/^0+(?=\d)/, '');
    const low = bare.length === 1 ? 0n : 10n ** BigInt(bare.length - 1);
    const high = 10n ** BigInt(bare.length) - 1n;
    const size = (high < most ? high : most) - low + 1n;
    const value = BigInt(bare) - low;
    // A type such as smallint may have a single number of its longest form left.
    if (size <= 1n || value >= size) return bare;
    return String(this.#get(size)(value) + low);
  }

  #get(size: bigint): Permutation {
    const name = String(size);
    const known = this.#permutations.get(name);
    if (known) return known;
    const made = name.length <= LARGEST_SAFE_DIGITS ? this.#createSmall(Number(size)) : this.#createLarge(size);
    this.#permutations.set(name, made);
    return made;
  }

  /** One step along a cycle of all numbers in a secret order: there, one further, and back. */
  #createSmall(size: number): Permutation {
    const width = Math.ceil(Math.sqrt(size));
    const round = createRounds(this.#hash.blockCipher(`digits ${size}`), width);
    const step = (value: number, isBack: boolean): number => {
      let [left, right] = [Math.floor(value / width), value % width];
      for (let at = 0; at < ROUNDS; at += 1) {
        if (isBack) [left, right] = [(right - round(ROUNDS - 1 - at, left) + width) % width, left];
        else [left, right] = [right, (left + round(at, right)) % width];
      }
      return left * width + right;
    };
    // The halves span slightly more than `size` numbers: one outside is mapped again until it is inside.
    const walk = (value: number, isBack: boolean): number => {
      let at = step(value, isBack);
      while (at >= size) at = step(at, isBack);
      return at;
    };
    return (value) => BigInt(walk((walk(Number(value), false) + 1) % size, true));
  }

  #createLarge(size: bigint): Permutation {
    const encrypt = this.#hash.blockCipher(`digits ${size}`);
    let width = 10n ** BigInt(Math.ceil(String(size).length / 2));
    while ((width / 2n) ** 2n >= size) width /= 2n;
    const round = (index: number, half: bigint) => {
      const text = half.toString(16).padStart(30, '0').slice(-30);
      const sealed = encrypt(Buffer.from(index.toString(16).padStart(2, '0') + text, 'hex'));
      return BigInt(`0x${sealed.toString('hex')}`) % width;
    };
    const step = (value: bigint, isBack: boolean): bigint => {
      let [left, right] = [value / width, value % width];
      for (let at = 0; at < ROUNDS; at += 1) {
        if (isBack) [left, right] = [(right - round(ROUNDS - 1 - at, left) + width) % width, left];
        else [left, right] = [right, (left + round(at, right)) % width];
      }
      return left * width + right;
    };
    const walk = (value: bigint, isBack: boolean): bigint => {
      let at = step(value, isBack);
      while (at >= size) at = step(at, isBack);
      return at;
    };
    return (value) => walk((walk(value, false) + 1n) % size, true);
  }
}

/** The keyed function of each round. Its results are kept where that takes little memory. */
function createRounds(encrypt: (block: Buffer) => Buffer, width: number): (index: number, half: number) => number {
  const block = Buffer.alloc(16);
  const compute = (index: number, half: number) => {
    block.writeUInt8(index, 0);
    block.writeUIntBE(half, 10, 6);
    return encrypt(block).readUIntBE(0, 6) % width;
  };
  if (width > LARGEST_TABLE) return compute;
  const known = new Int32Array(ROUNDS * width).fill(-1);
  return (index, half) => {
    const at = index * width + half;
    if (known[at]! < 0) known[at] = compute(index, half);
    return known[at]!;
  };
}
