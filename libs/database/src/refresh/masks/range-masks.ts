import { type KeyedHash, toBytes } from './keyed-hash.js';
import type { ValueMask } from './mask.js';
import { createMomentMask, UNUSUAL } from './time-masks.js';

const MOMENTS = ['date', 'timestamp', 'timestamptz'];
const LARGEST: Readonly<Record<string, bigint>> = { int4: 2n ** 31n - 1n, int8: 2n ** 63n - 1n };
/** `[1,5)` in a range or a multirange. A bound without a value is open, and times are quoted. */
const RANGE = /([[(])"?([^",()[\]{}]*)"?,"?([^",()[\]{}]*)"?([\])])/g;

/** Whether a range of this type has a mask. */
export const hasRangeMask = (subtype: string) =>
  MOMENTS.includes(subtype) || subtype in LARGEST || subtype === 'numeric';

/** Moves both ends of a range, and every range of a multirange, by the same: lengths and gaps stay. */
export function createRangeMask(hash: KeyedHash, subtype: string): ValueMask {
  const move = MOMENTS.includes(subtype) ? createMomentMove(hash, subtype) : createNumberMove(hash, subtype);
  return (value, person, attempt) => {
    const bound = move(value, person, attempt);
    let isUnusual = false;
    const moved = value.replaceAll(RANGE, (_, open: string, low: string, high: string, close: string) => {
      const [from, to] = [low && bound(low), high && bound(high)];
      isUnusual ||= from === UNUSUAL || to === UNUSUAL;
      return `${open}"${from}","${to}"${close}`.replaceAll('""', '');
    });
    if (isUnusual) return value.startsWith('{') ? '{}' : 'empty';
    return moved;
  };
}

type Move = (value: string, person: string, attempt: number) => (bound: string) => string;

function createMomentMove(hash: KeyedHash, subtype: string): Move {
  const mask = createMomentMask(hash, { hasTime: subtype !== 'date' });
  return (value, person, attempt) => (bound) => mask(bound, person || value, attempt);
}

/** By less than ten times its largest number, to the side on which the type has more room. */
function createNumberMove(hash: KeyedHash, subtype: string): Move {
  const most = LARGEST[subtype];
  return (value, _, attempt) => {
    const bounds = (value.match(/-?\d+/g) ?? []).map(BigInt);
    const [low, high] = [bounds.reduce(least, 0n), bounds.reduce(greatest, 0n)];
    const usual = 10n ** BigInt(String(greatest(high, -low)).length);
    const room = most === undefined ? usual : least(usual, most - (high > -low ? -low : high));
    const by = 1n + (toBytes(hash.digest('range', value, attempt)).readBigUInt64BE() % room);
    return (bound) => addWhole(bound, high > -low && most !== undefined ? -by : by);
  };
}

const least = (a: bigint, b: bigint) => (a < b ? a : b);
const greatest = (a: bigint, b: bigint) => (a > b ? a : b);

/** @param number with any number of decimals */
function addWhole(number: string, whole: bigint): string {
  const [, sign = '', digits = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(number) ?? [];
  if (digits === '') return number;
  const sum = BigInt(`${sign}${digits}${fraction}`) + whole * 10n ** BigInt(fraction.length);
  const text = String(sum < 0n ? -sum : sum).padStart(fraction.length + 1, '0');
  const point = text.length - fraction.length;
  return `${sum < 0n ? '-' : ''}${text.slice(0, point)}${fraction && '.'}${text.slice(point)}`;
}
