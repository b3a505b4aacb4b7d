const [TAB, NEWLINE, BLANK, BACKSLASH, LETTER_N] = [9, 10, 32, 92, 78];
const [FIRST, SECOND] = [0x85ebca6b, 0xc2b2ae35];

/** Folds the case of ASCII, as the check compares values. */
const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte));

/** Signs of interest in a text: in the lowest bits the number of its digits, then that of the signs +, @ and backslash. */
const MARKS = Int32Array.from({ length: 256 }, (_, byte) => (byte >= 48 && byte <= 57 ? 1 : 0));
const SIGN = 1 << 20;
for (const sign of '+@\\') MARKS[sign.charCodeAt(0)] = SIGN;
const FEWEST_DIGITS = 13;

/** Whether a text with these marks may hold a mail address, a phone or card number, or one of them behind an escape. */
export const isMarked = (marks: number) => marks >= FEWEST_DIGITS;

/** The fields of one row, by their place. It is overwritten by the next row. */
export interface FieldsOfRow {
  /** Of the row in the table, from 0. */
  readonly row: number;
  readonly isNull: Uint8Array;
  /** In bytes, without blanks at the end. */
  readonly lengths: Int32Array;
  /** Two halves of a hash of each field, as its server wrote it, whatever its type. */
  readonly highs: Int32Array;
  readonly lows: Int32Array;
  readonly marks: Int32Array;
  readonly text: (place: number) => string;
  /** Of the whole row. */
  readonly wholeText: () => string;
}

/**
 * Reads rows in the text format of COPY. It knows no type, and shares no code with the masks.
 *
 * @returns a function that takes the chunks
 */
export function createFieldReader(count: number, onRow: (fields: FieldsOfRow) => void): (chunk: Buffer) => void {
  let bytes: Buffer = Buffer.alloc(0);
  let [row, rowStart, rowEnd] = [0, 0, 0];
  const [starts, ends] = [new Int32Array(count), new Int32Array(count)];
  const [isNull, lengths, marks] = [new Uint8Array(count), new Int32Array(count), new Int32Array(count)];
  const [highs, lows] = [new Int32Array(count), new Int32Array(count)];
  const fields = {
    ...{ row, isNull, lengths, highs, lows, marks },
    text: (place: number) => bytes.toString('utf8', starts[place], ends[place]),
    wholeText: () => bytes.toString('utf8', rowStart, rowEnd),
  };
  return (chunk) => {
    bytes = rowEnd < bytes.length ? Buffer.concat([bytes.subarray(rowEnd), chunk]) : chunk;
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    rowEnd = 0;
    for (let at = 0; at < end;) {
      rowStart = at;
      for (let place = 0, isOpen = true; isOpen; place += 1) {
        const start = at;
        let [high, low, mark] = [0, 0, 0];
        let byte = bytes[at]!;
        for (; byte !== TAB && byte !== NEWLINE; byte = bytes[(at += 1)]!) {
          const folded = FOLDED[byte]!;
          high = Math.imul(high ^ folded, FIRST);
          low = Math.imul(low ^ folded ^ (low >>> 15), SECOND);
          mark += MARKS[byte]!;
        }
        let last = at;
        while (last > start && bytes[last - 1] === BLANK) last -= 1;
        isNull[place] = at === start + 2 && bytes[start] === BACKSLASH && bytes[start + 1] === LETTER_N ? 1 : 0;
        [starts[place], ends[place], lengths[place]] = [start, at, last - start];
        [highs[place], lows[place], marks[place]] = [high, low, mark];
        isOpen = byte === TAB;
        at += 1;
      }
      rowEnd = at;
      fields.row = row;
      onRow(fields);
      row += 1;
    }
  };
}

/** The same for a part of a field, such as an element of an array. */
export function hashText(text: string): { high: number; low: number } {
  let [high, low] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    const folded = unit < 128 ? FOLDED[unit]! : unit;
    high = Math.imul(high ^ folded, FIRST);
    low = Math.imul(low ^ folded ^ (low >>> 15), SECOND);
  }
  return { high, low };
}
