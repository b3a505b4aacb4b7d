import { type KeyedHash, uint16At, uint32At } from './keyed-hash.js';
import type { ValueMask } from './mask.js';
import { RecentValues } from './recent-values.js';

const DAY_MS = 86_400_000;
const DAY_SECONDS = 86_400;
const LEAST_DAYS = 15;
const SPAN_DAYS = 350;
/** A value outside of the years 1000 to 9999 says nothing more in a copy than that there is one. */
export const UNUSUAL = '1970-01-01';
const TIME_AT = 11;
const REST_AT = 19;
/** A fraction of a second and a zone. */
const REST = /^(\.\d+)?([+-]\d\d(:?\d\d)?)?$/;

const MOMENTS = ['date', 'time', 'timetz', 'timestamp', 'timestamptz'];

/** Whether the mask of a type depends on the person that the row is about. */
export function masksByPerson({ base, subtype }: { base: string; subtype?: string | null | undefined }): boolean {
  return MOMENTS.includes(subtype ?? base);
}

/**
 * Shifts every date of one person by the same time, into the past: what follows what, and after how long, still holds,
 * and nothing moves beyond today. A row that names no person shifts each value by itself.
 */
export function createMomentMask(hash: KeyedHash, { hasTime }: { hasTime: boolean }): ValueMask {
  const shifts = loadShifts(hash);
  return (value, person) => {
    if (value === 'infinity' || value === '-infinity') return value;
    const moment = readMoment(value);
    if (Number.isNaN(moment)) return UNUSUAL;
    const shift = shifts.get(person || value);
    const shifted = moment - (hasTime ? shift : shift - (shift % DAY_SECONDS));
    const day = Math.floor(shifted / DAY_SECONDS);
    const date = DAYS.get(day);
    if (date.length !== 24 || date.startsWith('0')) return UNUSUAL;
    if (!hasTime) return date.slice(0, 10);
    return `${date.slice(0, TIME_AT - 1)} ${writeTime(shifted - day * DAY_SECONDS)}${value.slice(REST_AT)}`;
  };
}

/** All columns share them, and a refresh has few. */
const DAYS = new RecentValues((day: number) => new Date(day * DAY_MS).toISOString());

const shiftsOf = new WeakMap<KeyedHash, RecentValues<string, number>>();

/** In seconds. Every column of a refresh shares them. */
function loadShifts(hash: KeyedHash): RecentValues<string, number> {
  let shifts = shiftsOf.get(hash);
  if (!shifts) {
    shifts = new RecentValues((of) => {
      const digest = hash.digest('shift', of);
      const days = LEAST_DAYS + (uint16At(digest, 0) % SPAN_DAYS);
      return days * DAY_SECONDS + (uint32At(digest, 2) % DAY_SECONDS);
    });
    shiftsOf.set(hash, shifts);
  }
  return shifts;
}

/** A time of the day, moved by a time of the person. */
export function createTimeMask(hash: KeyedHash): ValueMask {
  return (value, person, attempt) => {
    const shift = 1 + (uint32At(hash.digest('time', person || value, attempt), 0) % (DAY_SECONDS - 1));
    return writeTime((readTime(value, 0) + shift) % DAY_SECONDS) + value.slice(8);
  };
}

/** @returns seconds of the time as written, without its zone, or NaN for anything but `YYYY-MM-DD[ HH:MM:SS…]` */
function readMoment(text: string): number {
  const year = readDigits(text, 0) * 100 + readDigits(text, 2);
  const day = Date.UTC(year, readDigits(text, 5) - 1, readDigits(text, 8)) / 1000;
  if (text[4] !== '-' || text[7] !== '-') return Number.NaN;
  if (text.length < TIME_AT) return day;
  return text[10] === ' ' && REST.test(text.slice(REST_AT)) ? day + readTime(text, TIME_AT) : Number.NaN;
}

function readTime(text: string, at: number): number {
  return readDigits(text, at) * 3600 + readDigits(text, at + 3) * 60 + readDigits(text, at + 6);
}

/** Two digits. */
function readDigits(text: string, at: number): number {
  const [tens, ones] = [text.charCodeAt(at) - 48, text.charCodeAt(at + 1) - 48];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));

function writeTime(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return `${TWO_DIGITS[Math.floor(minutes / 60)]!}:${TWO_DIGITS[minutes % 60]!}:${TWO_DIGITS[seconds % 60]!}`;
}
