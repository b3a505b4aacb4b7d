import { type FieldsOfRow, isMarked } from './copy-fields.js';
import { decodeCopyText } from './copy-text.js';
import { listTexts, type ScannedColumn } from './scanned-columns.js';

/** RFC 2606 and RFC 6761: no mail arrives at these. */
const MAIL =
  /[a-z0-9._%+-]@(?!([a-z0-9-]+\.)*(example\.(org|com|net)|example|test|invalid|localhost)\.?([^a-z0-9.-]|$))([a-z0-9-]+\.)+[a-z]{2}/i;
/** Written internationally. The country code 999 is not assigned. */
const PHONE = /(^|[^0-9a-z+])\+(?!999)[1-9][0-9][0-9 ()./-]{6,16}[0-9]/i;
const CARD = /(?:^|[^0-9a-z.+-])([2-6][0-9](?:[ -]?[0-9]){11,17})(?![0-9a-z.-])/gi;

/** Faster, and part of each. */
const DIGITS = /[0-9 -]{13}/;

const COUNTERS = Object.entries({
  'card numbers': countCards,
  'mail addresses outside of example.org': (text: string) => Number(MAIL.test(text)),
  'phone numbers': (text: string) => Number(PHONE.test(text)),
});

/** Addresses, phone numbers and card numbers of real people, in whatever column that is not public. */
export function createPatterns(read: readonly ScannedColumn[]) {
  const places = [...read.keys()].filter((place) => read[place]!.mayHoldText);
  const found = new Map<string, number>();
  return {
    look: ({ isNull, marks, text }: FieldsOfRow) => {
      for (const place of places) {
        if (isNull[place] || !isMarked(marks[place]!)) continue;
        for (const value of listTexts(decodeCopyText(text(place)), read[place]!))
          for (const [what, countIn] of COUNTERS) {
            const count = countIn(value);
            if (count === 0) continue;
            const finding = `${read[place]!.name}: ${what}`;
            found.set(finding, (found.get(finding) ?? 0) + count);
          }
      }
    },
    list: (): string[] =>
      [...found]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([finding, count]) => finding.replace(': ', `: ${count} `)),
  };
}

/** Luhn's algorithm, which every card number follows, and one other number in ten. */
function countCards(text: string): number {
  if (!DIGITS.test(text)) return 0;
  return [...text.matchAll(CARD)].filter(([, number = '']) => {
    const digits = [...number.replaceAll(/[^0-9]/g, '')].reverse().map(Number);
    const sum = digits.reduce(
      (total, digit, place) => total + (place % 2 === 0 ? digit : ((digit * 2) % 10) + Math.floor(digit / 5)),
      0,
    );
    return sum % 10 === 0 && new Set(digits).size > 1;
  }).length;
}
