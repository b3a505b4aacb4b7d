import { type KeyedHash, toBytes, toLetters, uint32At } from './keyed-hash.js';
import type { ValueMask } from './mask.js';
import { DigitPermuter } from './permute-digits.js';

const NUMBER = /\d+(?:\.\d+)?/g;
const MOST_CENTS = 2n ** 63n - 1n;
const UNLIMITED = 10n ** 400n;
const CLOCK = /(\d+):(\d\d):(\d\d)/;
/** Minutes of an hour, and seconds of a minute. */
const SIXTY = 60;
/** As letters of other pseudonyms: 65 bits. */
const LABEL_LETTERS = 13;
const MOST_PERMUTED_BITS = 80;

/** Of the monetary locale C: other digits in the same places, so that different amounts stay different. */
export function createMoneyMask(hash: KeyedHash): ValueMask {
  const permuter = new DigitPermuter(hash);
  return (value) => {
    const digits = value.replaceAll(/\D/g, '');
    const made = permuter.permute(digits, MOST_CENTS).padStart(digits.length, '0');
    let at = 0;
    return value.replaceAll(/\d/g, () => made[at++]!);
  };
}

/** Points, boxes, circles and paths: other coordinates with the same signs and digits, equal ones stay equal. */
export function createShapeMask(hash: KeyedHash): ValueMask {
  const change = createNumberChange(hash);
  return (value) =>
    value.replaceAll(/(\d+(?:\.\d+)?)((?:e[+-]?\d+)?)/g, (_, number: string, rest: string) => change(number) + rest);
}

/** The same units with other numbers. */
export function createIntervalMask(hash: KeyedHash): ValueMask {
  const change = createNumberChange(hash);
  return (value, _, attempt) => {
    const clock = CLOCK.exec(value);
    const [before, after] = clock
      ? [value.slice(0, clock.index), value.slice(clock.index + clock[0].length)]
      : [value, ''];
    const changed = before.replaceAll(NUMBER, change);
    if (!clock) return changed;
    const digest = hash.digest('interval', value, attempt);
    const turn = (part: string, at: number) =>
      String((Number(part) + 1 + (uint32At(digest, at) % (SIXTY - 1))) % SIXTY).padStart(2, '0');
    return `${changed}${change(clock[1]!).padStart(2, '0')}:${turn(clock[2]!, 0)}:${turn(clock[3]!, 4)}${after}`;
  };
}

function createNumberChange(hash: KeyedHash): (number: string) => string {
  const permuter = new DigitPermuter(hash);
  return (number) => {
    const [whole = '', fraction = ''] = number.split('.');
    const digits = permuter.permute(whole + fraction, UNLIMITED).padStart(fraction.length + 1, '0');
    const point = digits.length - fraction.length;
    return digits.slice(0, point) + (fraction && '.') + digits.slice(point);
  };
}

/** As many bits. Two short values never meet, and two long ones no sooner than two digests do. */
export function createBitMask(hash: KeyedHash): ValueMask {
  const permuter = new DigitPermuter(hash);
  return (value, _, attempt) => {
    if (value.length === 0) return value;
    if (value.length <= MOST_PERMUTED_BITS)
      return permuter
        .permuteBelow(2n ** BigInt(value.length), BigInt(`0b${value}`))
        .toString(2)
        .padStart(value.length, '0');
    const digest = hash.digest('bits', value, attempt);
    const bytes = hash.expand(digest, Math.ceil(value.length / 8));
    return [...bytes]
      .map((byte) => byte.toString(2).padStart(8, '0'))
      .join('')
      .slice(0, value.length);
  };
}

/** Each label of a path has one pseudonym, so that what is below what still holds. */
export function createPathMask(hash: KeyedHash): ValueMask {
  return (value, _, attempt) =>
    value
      .split('.')
      .map((label) => toLetters(hash.digest('label', label, attempt), LABEL_LETTERS))
      .join('.');
}

/** 2001:db8::/32 is for documentation and has room for any number of addresses, which the one of IPv4 has not. */
export function createUniqueAddressMask(hash: KeyedHash): ValueMask {
  return (value, _, attempt) => {
    const groups =
      toBytes(hash.digest('address', value, attempt))
        .toString('hex', 0, 12)
        .match(/.{4}/g) ?? [];
    return ['2001', '0db8', ...groups].join(':');
  };
}
