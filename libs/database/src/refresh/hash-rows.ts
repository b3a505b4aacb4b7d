import { Writable, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** The signature, flags and the length of an extension of PostgreSQL's binary format of COPY. */
const HEADER_BYTES = 19;
const HASH_BYTES = 8;
/** Dimensions, flags, type, length and first index of an array. */
const ARRAY_HEADER_BYTES = 20;
const END = -1;

export type OnHash = (column: number, high: number, low: number) => void;

/** Reads rows of bigint and bigint[] in the binary format of COPY. NULL has no hash. */
export async function readHashRows(rows: Readable, onHash: OnHash): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  let skipped = 0;
  await pipeline(
    rows,
    new Writable({
      write(chunk: Buffer, _, done) {
        let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        if (skipped < HEADER_BYTES) {
          const now = Math.min(HEADER_BYTES - skipped, bytes.length);
          skipped += now;
          bytes = bytes.subarray(now);
        }
        let at = 0;
        for (let end = findRowEnd(bytes, at); end > 0; end = findRowEnd(bytes, at)) {
          readRow(bytes, at, onHash);
          at = end;
        }
        rest = bytes.subarray(at);
        done();
      },
    }),
  );
}

/** @returns the place behind the row, or 0 if its end has not arrived */
function findRowEnd(bytes: Buffer, from: number): number {
  if (bytes.length < from + 2) return 0;
  let at = from + 2;
  for (let fields = bytes.readInt16BE(from); fields > 0; fields -= 1) {
    if (bytes.length < at + 4) return 0;
    at += 4 + Math.max(0, bytes.readInt32BE(at));
  }
  return bytes.length < at ? 0 : at;
}

function readRow(bytes: Buffer, from: number, onHash: OnHash): void {
  const fields = bytes.readInt16BE(from);
  if (fields === END) return;
  let at = from + 2;
  for (let column = 0; column < fields; column += 1) {
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length === HASH_BYTES) onHash(column, bytes.readInt32BE(at), bytes.readInt32BE(at + 4));
    else
      for (let element = at + ARRAY_HEADER_BYTES + 4; element < at + length; element += HASH_BYTES + 4)
        onHash(column, bytes.readInt32BE(element), bytes.readInt32BE(element + 4));
    at += Math.max(0, length);
  }
}
