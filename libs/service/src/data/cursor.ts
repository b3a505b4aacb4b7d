import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Environment, Secret } from '@airlock/config';
import { Problem } from '../problems/problem.js';

/** The end of a page: the value of the sorted column and, for rows with the same value, the id. */
export interface Position {
  readonly value: string;
  readonly id: string;
}

const MAC_BYTES = 16;
/** The length of a UUID as PostgreSQL writes it. */
const ID_BYTES = 36;
/** The longest character in UTF-8. */
const MAX_CHARACTER_BYTES = 4;
/** Development and testing need no secret, because row-level security and not the signature isolates the rows. */
const LOCAL_KEY = 'cursors of a local environment';

/** The length of the longest cursor of a list that is sorted by text of up to so many characters. */
export function longestCursor(characters: number): number {
  return Math.ceil(((MAC_BYTES + ID_BYTES + characters * MAX_CHARACTER_BYTES) * 4) / 3);
}

/** Cursors are opaque, and each is valid only for the environment, user, list and order that it was issued for. */
export class CursorCodec {
  readonly #key: string;
  readonly #environment: Environment;

  constructor(secretKey: Secret | undefined, environment: Environment) {
    this.#key = secretKey?.reveal() ?? LOCAL_KEY;
    this.#environment = environment;
  }

  encode({ value, id }: Position, scope: string): string {
    const payload = Buffer.from(id + value);
    return Buffer.concat([this.#sign(payload, scope), payload]).toString('base64url');
  }

  /** @throws Problem invalid-cursor */
  decode(cursor: string, scope: string): Position {
    const bytes = Buffer.from(cursor, 'base64url');
    const [mac, payload] = [bytes.subarray(0, MAC_BYTES), bytes.subarray(MAC_BYTES)];
    const isOurs = mac.length === MAC_BYTES && timingSafeEqual(mac, this.#sign(payload, scope));
    // base64url has several spellings for the same bytes; only the canonical one is accepted.
    if (!isOurs || bytes.toString('base64url') !== cursor) throw new Problem('invalid-cursor');
    return { id: payload.toString('utf8', 0, ID_BYTES), value: payload.toString('utf8', ID_BYTES) };
  }

  #sign(payload: Buffer, scope: string): Buffer {
    return createHmac('sha256', this.#key)
      .update(`${this.#environment}\n${scope}\n`)
      .update(payload)
      .digest()
      .subarray(0, MAC_BYTES);
  }
}
