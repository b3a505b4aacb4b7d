import { createHash } from 'node:crypto';
import type { SamplePerson, SampleValues } from '../model/define-seeds.js';
import { FIRST_NAMES, LAST_NAMES, LOREM } from '../refresh/masks/words.js';

const SECOND_MS = 1000;
const DAY_SECONDS = 86_400;
const TWO_YEARS_DAYS = 2 * 365;
/** A fixed time, so that the rows are the same on every day. */
const OLDEST = new Date(Date.UTC(2026, 0, 1) - TWO_YEARS_DAYS * DAY_SECONDS * SECOND_MS);

/** Names that an interface must be able to show: accents, apostrophes, other scripts, right to left, one letter, long. */
const WORLD_NAMES =
  'Zoë Søren Nguyễn Þórunn Jean-Luc D’Arcy Łucja محمد שרה さくら 李 Дмитро Ελένη अनन्या O Featherstonehaugh-Cholmondeley-Marjoribanks'.split(
    ' ',
  );

/** They follow from the text alone: integers and a hash, no clock and no function of Math whose last bit depends on the machine. */
export class HashedValues implements SampleValues {
  readonly #text: string;
  #block = Buffer.alloc(0);
  #used = 0;
  #blocks = 0;

  constructor(text: string) {
    this.#text = text;
  }

  integer(least: number, most: number): number {
    return least + (this.#next() % (most - least + 1));
  }

  chance(percent: number): boolean {
    return this.integer(0, 99) < percent;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)] as T;
  }

  person(): SamplePerson {
    const [givenName, familyName] = [FIRST_NAMES, LAST_NAMES].map((names) =>
      this.pick(this.chance(10) ? WORLD_NAMES : names),
    ) as [string, string];
    const number = this.integer(0, 999).toString().padStart(3, '0');
    return {
      ...{ givenName, familyName },
      email: `${toAscii(givenName)}.${toAscii(familyName)}@example.org`,
      phone: `+441632960${number}`,
    };
  }

  words(least: number, most: number): string {
    return Array.from({ length: this.integer(least, most) }, () => this.pick(LOREM)).join(' ');
  }

  date({ after, days } = { after: OLDEST, days: TWO_YEARS_DAYS }): Date {
    return new Date(after.getTime() + this.integer(0, days * DAY_SECONDS - 1) * SECOND_MS + this.integer(0, 999));
  }

  /** RFC 9562: 48 bits of the time, then version, variant and bits of this source. */
  id(at: Date): string {
    const time = at.getTime().toString(16).padStart(12, '0');
    const tail = [0, 0, 0].map(() => this.#next().toString(16).padStart(8, '0')).join('');
    const variant = '89ab'.charAt(this.integer(0, 3));
    return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(0, 3)}-${variant}${tail.slice(3, 6)}-${tail.slice(6, 18)}`;
  }

  #next(): number {
    if (this.#used + 4 > this.#block.length) {
      this.#block = createHash('sha256').update(`${this.#text}\n${this.#blocks}`).digest();
      this.#blocks += 1;
      this.#used = 0;
    }
    this.#used += 4;
    return this.#block.readUInt32BE(this.#used - 4);
  }
}

/** The letters that an address may have; `x` where a name has none of them. */
function toAscii(name: string): string {
  const letters = name.normalize('NFD').replaceAll(/[^A-Za-z-]/g, '');
  return letters.toLowerCase() || 'x';
}
