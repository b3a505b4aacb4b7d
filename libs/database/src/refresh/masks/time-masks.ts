import { detach } from './detach.js';
import type { KeyedHash } from './keyed-hash.js';
import type { ValueMask } from './mask.js';

const DAY_MS = 86_400_000;
const SECOND_MS = 1000;
const LEAST_DAYS = 15;
const SPAN_DAYS = 350;
const MOST_PERSONS = 20_000;
/** A value outside of the years 1000 to 9999 says nothing more in a copy than that there is one. */
const UNUSUAL = '1970-01-01';
const MOMENT = /^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(\.\d+)?)?([+-]\d\d(?::?\d\d)?)?$/;

/**
 * Shifts every date of one person by the same time, into the past: what follows what, and after how long, still holds,
 * and nothing moves beyond today. A row that names no person shifts each value by itself.
 */
export function createMomentMask(hash: KeyedHash, { hasTime }: { hasTime: boolean }): ValueMask {
  const shiftOf = remember((of: string) => hash.digest('shift', of));
  return ({ value, person }) => {
    if (value === 'infinity' || value === '-infinity') return value;
    const parts = MOMENT.exec(value);
    if (!parts) return UNUSUAL;
    const digest = shiftOf(person || value);
    const days = LEAST_DAYS + (digest.readUInt16BE(0) % SPAN_DAYS);
    const seconds = hasTime ? digest.readUInt32BE(2) % (DAY_MS / SECOND_MS) : 0;
    const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = ''] = parts;
    const at = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
    const shifted = new Date(at - days * DAY_MS - seconds * SECOND_MS).toISOString();
    if (shifted.length !== 24 || shifted.startsWith('0')) return UNUSUAL;
    return hasTime ? `${shifted.slice(0, 10)} ${shifted.slice(11, 19)}${fraction}${zone}` : shifted.slice(0, 10);
  };
}

/** Most rows are about a person who has others. */
function remember<Result>(compute: (of: string) => Result): (of: string) => Result {
  const known = new Map<string, Result>();
  return (of) => {
    let result = known.get(of);
    if (result !== undefined) return result;
    if (known.size >= MOST_PERSONS) known.clear();
    known.set(detach(of), (result = compute(of)));
    return result;
  };
}

/** A time of the day, moved by a time of the person. */
export function createTimeMask(hash: KeyedHash): ValueMask {
  return ({ value, person, attempt }) => {
    const [, hour, minute, second, rest = ''] = /^(\d\d):(\d\d):(\d\d)(.*)$/.exec(value) ?? [];
    const shift = 1 + (hash.digest('time', person || value, attempt).readUInt32BE(0) % (DAY_MS / SECOND_MS - 1));
    const at = (Number(hour) * 3600 + Number(minute) * 60 + Number(second) + shift) % (DAY_MS / SECOND_MS);
    return new Date(at * SECOND_MS).toISOString().slice(11, 19) + rest;
  };
}
