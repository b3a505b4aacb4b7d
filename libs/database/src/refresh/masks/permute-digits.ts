import type { KeyedHash } from './keyed-hash.js';

const ROUNDS = 6;
/** Halves of longer numbers would not fit into the six bytes that a round has for one. */
const MOST_PERMUTED_DIGITS = 28;
/** Beyond, a JavaScript number is rounded. */
const MOST_EXACT_DIGITS = 15;
/** Results of a round are kept up to this width of a half. */
const LARGEST_TABLE = 10_000;

/** A number below the size of the permutation, as `left * width + right`: each half is exact without BigInt. */
type Halves = readonly [left: number, right: number];

interface Permutation {
  readonly width: number;
  readonly permute: (halves: Halves) => Halves;
}

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
    const [low, high] = rangeOf(bare.length);
    const { width, permute } = this.#get((high < most ? high : most) - low + 1n);
    return bare.length <= MOST_EXACT_DIGITS
      ? mapNumber(Number(bare), { low: Number(low), width, permute })
      : mapBigInt(BigInt(bare), { low, width, permute });
  }

  /** @param value below the size, of at most 28 digits */
  permuteBelow(size: bigint, value: bigint): bigint {
    return BigInt(mapBigInt(value, { low: 0n, ...this.#get(size) }));
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

function rangeOf(digits: number): readonly [low: bigint, high: bigint] {
  return (RANGES[digits] ??= [digits === 1 ? 0n : 10n ** BigInt(digits - 1), 10n ** BigInt(digits) - 1n]);
}

const RANGES: (readonly [low: bigint, high: bigint])[] = [];

function mapNumber(value: number, { low, width, permute }: Permutation & { low: number }): string {
  const offset = value - low;
  const right = offset % width;
  const [newLeft, newRight] = permute([(offset - right) / width, right]);
  return String(newLeft * width + newRight + low);
}

function mapBigInt(value: bigint, { low, width, permute }: Permutation & { low: bigint }): string {
  const wide = BigInt(width);
  const [left, right] = permute([Number((value - low) / wide), Number((value - low) % wide)]);
  return String(BigInt(left) * wide + BigInt(right) + low);
}

/** One step along a cycle of all numbers below `size` in a secret order: there, one further, and back. */
function createPermutation(hash: KeyedHash, size: bigint): Permutation {
  const width = Math.ceil(Math.sqrt(Number(size))) + 1;
  const [lastLeft, lastRight] = [Number((size - 1n) / BigInt(width)), Number((size - 1n) % BigInt(width))];
  const round = createRounds(hash.createRounds(`digits ${size}`), width);
  const step = ([left, right]: Halves, isBack: boolean): Halves => {
    for (let at = 0; at < ROUNDS; at += 1) {
      if (isBack) [left, right] = [(right - round(ROUNDS - 1 - at, left) + width) % width, left];
      else [left, right] = [right, (left + round(at, right)) % width];
    }
    return [left, right];
  };
  // The halves span slightly more than `size` numbers: one outside is mapped again until it is inside.
  const walk = (halves: Halves, isBack: boolean): Halves => {
    let at = step(halves, isBack);
    while (at[0] > lastLeft || (at[0] === lastLeft && at[1] > lastRight)) at = step(at, isBack);
    return at;
  };
  const next = ([left, right]: Halves): Halves => {
    if (left === lastLeft && right === lastRight) return [0, 0];
    return right === width - 1 ? [left + 1, 0] : [left, right + 1];
  };
  return { width, permute: (halves) => walk(next(walk(halves, false)), true) };
}

function createRounds(compute: (round: number, half: number) => number, width: number): typeof compute {
  if (width > LARGEST_TABLE) return (round, half) => compute(round, half) % width;
  const known = new Int32Array(ROUNDS * width).fill(-1);
  return (round, half) => {
    const at = round * width + half;
    if (known[at]! < 0) known[at] = compute(round, half) % width;
    return known[at]!;
  };
}
