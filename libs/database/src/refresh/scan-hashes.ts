import { type FieldsOfRow, hashText } from './copy-fields.js';
import { listKept, listValues, type ScannedColumn, type ScannedTable } from './scanned-columns.js';
import { decodeCopyText } from './copy-text.js';

export type OnHash = (place: number, high: number, low: number) => void;

/** A shorter text may be that of another row by chance. */
export const SHORTEST_VALUE = 6;

interface Compared {
  readonly column: ScannedColumn;
  readonly place: number;
  /** A value of one column is not found in another one. */
  readonly seed: number;
}

interface Reading {
  readonly names: readonly string[];
  readonly side: 'source' | 'result';
  readonly crossed: readonly string[];
  readonly of?: readonly string[];
}

/**
 * @param names the columns that are read @param crossed those that the source sent @param of those that are compared
 * @returns a function that gives the hashes of a row: more than one for an array or a document, none for NULL
 */
export function createHasher(
  { columns, key, hasOrder }: ScannedTable,
  { names, side, crossed, of = crossed }: Reading,
  onHash: OnHash,
): (fields: FieldsOfRow) => void {
  const keyPlace = key !== undefined && crossed.includes(key) ? names.indexOf(key) : -1;
  const hasRows = keyPlace >= 0 || hasOrder;
  const compared: Compared[] = columns.flatMap((column, index) => {
    const place = names.indexOf(column.name);
    const isCompared = column.by === 'value' || (column.by === 'row' && hasRows);
    return isCompared && place >= 0 && of.includes(column.name) ? [{ column, place, seed: index + 1 }] : [];
  });
  return (fields) => {
    const { row, highs, lows, lengths, marks, isNull } = fields;
    const [rowHigh, rowLow] = keyPlace < 0 ? [row, ~row] : [highs[keyPlace]!, lows[keyPlace]!];
    for (const { column, place, seed } of compared) {
      if (isNull[place]) continue;
      const isByRow = column.by === 'row';
      const [a, b] = isByRow ? [rowHigh ^ seed, rowLow] : [seed, seed];
      if (column.holds === 'one') {
        if (isByRow ? marks[place] !== 0 || saysMore(fields.text(place)) : lengths[place]! >= SHORTEST_VALUE)
          emit(onHash, place, mix(highs[place]!, a), mix(lows[place]!, b));
        continue;
      }
      const text = decodeCopyText(fields.text(place));
      const kept = side === 'result' ? listKept(text, column) : undefined;
      for (const [index, value] of listValues(text, column).entries()) {
        if (!isByRow && (value.length < SHORTEST_VALUE || kept?.has(value))) continue;
        const { high, low } = hashText(value);
        // Another element of the row may have the value.
        if (!isByRow || saysMore(value)) emit(onHash, place, mix(high, a), mix(low, isByRow ? b ^ index : b));
      }
    }
  };
}

/** Not only that a date or a range has no end, or no content. */
const saysMore = (value: string) => !/^[({[]*(-?infinity|empty)?,?(-?infinity)?[)}\]]*$/.test(value);

function emit(onHash: OnHash, place: number, high: number, low: number): void {
  onHash(place, high ^ (low >>> 7), low ^ (high << 9));
}

/** The last step of MurmurHash3: every bit of both numbers changes half of the result. */
function mix(hash: number, salt: number): number {
  let mixed = hash ^ Math.imul(salt, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
