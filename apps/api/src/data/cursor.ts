import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '@airlock/config';
import { Problem } from '../http/problem.js';

/** Where a page ended: the value of the sorted column and, for rows that share it, the id. */
export interface Position {
  readonly value: string;
  readonly id: string;
}

const MAC_BYTES = 16;
/** Development and testing need no secret: row-level security, not the signature, is what keeps rows apart. */
const LOCAL_KEY = 'cursors of a local environment';

/** Cursors are opaque and bound to one user's list in one order: what was not handed out for it is refused. */
export class CursorCodec {
  readonly #key: string;

  constructor(secretKey: Secret | undefined) {
    this.#key = secretKey?.reveal() ?? LOCAL_KEY;
  }

  encode({ value, id }: Position, scope: string): string {
    const payload = Buffer.from(JSON.stringify([value, id]));
    return Buffer.concat([this.#sign(payload, scope), payload]).toString('base64url');
  }

  /** @throws Problem invalid-cursor */
  decode(cursor: string, scope: string): Position {
    const bytes = Buffer.from(cursor, 'base64url');
    const [mac, payload] = [bytes.subarray(0, MAC_BYTES), bytes.subarray(MAC_BYTES)];
    const isOurs = mac.length === MAC_BYTES && timingSafeEqual(mac, this.#sign(payload, scope));
    // base64url has several spellings for the same bytes; only ours counts.
    if (!isOurs || bytes.toString('base64url') !== cursor) throw new Problem('invalid-cursor');
    const [value, id] = JSON.parse(payload.toString()) as [string, string];
    return { value, id };
  }

  #sign(payload: Buffer, scope: string): Buffer {
    return createHmac('sha256', this.#key).update(`${scope}\n`).update(payload).digest().subarray(0, MAC_BYTES);
  }
}
