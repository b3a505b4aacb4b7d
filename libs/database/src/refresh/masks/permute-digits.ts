import type { KeyedHash } from './keyed-hash.js';

const ROUNDS = 6;
/** Halves of longer numbers would not fit into the six bytes of a block that hold one. */
const MOST_PERMUTED_DIGITS = 28;
/** Results of a round are kept up to this width of a half. */
const LARGEST_TABLE = 100_000;
const HALF_BYTES = 6;

type Permutation = (value: bigint) => bigint;

/**
 * Numbers keep their sign and their count of digits, so that a range that a type or a check demands still holds. Within
 * one count the map is a bijection without fixed points: unique values stay unique, and no value stays what it was.
 */
export class DigitPermuter {
  readonly #hash: KeyedHash;
  readonly #permutations = new Map<bigint, Permutation>();

  constructor(hash: KeyedHash) {
    this.#hash = hash;
  }

  /** @param digits decimal digits without sign @param most the largest number that the type holds */
  permute(digits: string, most: bigint): string {
    const bare = digits.replace(/^0+(?=\d)/, '');
    if (bare.length > MOST_PERMUTED_DIGITS) return this.#invent(bare);
    const low = bare.length === 1 ? 0n : 10n ** BigInt(bare.length - 1);
    const high = 10n ** BigInt(bare.length) - 1n;
    const size = (high < most ? high : most) - low + 1n;
    return String(this.#get(size)(BigInt(bare) - low) + low);
  }

  #get(size: bigint): Permutation {
    let permutation = this.#permutations.get(size);
    if (!permutation) this.#permutations.set(size, (permutation = createPermutation(this.#hash, size)));
    return permutation;
  }

  /** Two long numbers meet no sooner than two digests do. */
  #invent(digits: string): string {
    const seed = this.#hash.digest('long digits', digits);
    const made = [...this.#hash.expand(seed, digits.length)].map((byte) => byte % 10).join('');
    return made.replace(/^0/, '1');
  }
}

/** One step along a cycle of all numbers below `size` in a secret order: there, one further, and back. */
function createPermutation(hash: KeyedHash, size: bigint): Permutation {
  const width = Math.ceil(Math.sqrt(Number(size))) + 1;
  const wide = BigInt(width);
  const round = createRounds(hash.blockCipher(`digits ${size}`), width);
  const step = (value: bigint, isBack: boolean): bigint => {
    let [left, right] = [Number(value / wide), Number(value % wide)];
    for (let at = 0; at < ROUNDS; at += 1) {
      if (isBack) [left, right] = [(right - round(ROUNDS - 1 - at, left) + width) % width, left];
      else [left, right] = [right, (left + round(at, right)) % width];
    }
    return BigInt(left) * wide + BigInt(right);
  };
  // The halves span slightly more than `size` numbers: one outside is mapped again until it is inside.
  const walk = (value: bigint, isBack: boolean): bigint => {
    let at = step(value, isBack);
    while (at >= size) at = step(at, isBack);
    return at;
  };
  return (value) => walk((walk(value, false) + 1n) % size, true);
}

function createRounds(encrypt: (block: Buffer) => Buffer, width: number): (index: number, half: number) => number {
  const block = Buffer.alloc(16);
  const compute = (index: number, half: number) => {
    block.writeUInt8(index, 0);
    block.writeUIntBE(half, 10, HALF_BYTES);
    return encrypt(block).readUIntBE(0, HALF_BYTES) % width;
  };
  if (width > LARGEST_TABLE) return compute;
  const known = new Int32Array(ROUNDS * width).fill(-1);
  return (index, half) => {
    const at = index * width + half;
    if (known[at]! < 0) known[at] = compute(index, half);
    return known[at]!;
  };
}
