import { createCipheriv, createHmac, hash } from 'node:crypto';

const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
const IV_BYTES = 16;
/** Of a number that a permutation's round takes: the key of the rounds comes before it. */
const ROUND_BYTES = 7;
const PAD_BYTES = 64;
const DIGEST_BYTES = 32;
const [INNER, OUTER] = [0x36, 0x5c];
/** Of UTF-8, for one of the units that a JavaScript string counts. */
const MOST_BYTES_OF_UNIT = 3;
/** In bytes; a longer text is hashed as it comes. */
const LONGEST_SHORT = 1024;

/** For one purpose and attempt: the first block of HMAC and the start of each text, then room for the rest. */
interface Prepared {
  readonly bytes: Buffer;
  readonly start: number;
  /** The bytes up to a length, because a new view takes as long as a hash. */
  readonly views: Buffer[];
}

/** The source of every mask: the same key and value give the same bytes, which nothing but the key can repeat. */
export class KeyedHash {
  readonly #key: Buffer;
  readonly #outer: Buffer;
  readonly #prepared = new Map<string, Prepared>();

  /** @param pair the environments between which rows move; each pair has its own pseudonyms */
  constructor(secret: string, pair: string) {
    this.#key = createHmac('sha256', secret).update(`refresh ${pair}`).digest();
    this.#outer = pad(this.#key, OUTER, PAD_BYTES + DIGEST_BYTES);
  }

  /**
   * HMAC-SHA256 (RFC 2104) of the value. Written out, because node:crypto takes four times as long to set up an Hmac as
   * to hash a short text.
   *
   * @param attempt another one gives other bytes, where the first result cannot be used
   * @returns one character below 256 for each byte, in half the time of a Buffer
   */
  digest(purpose: string, value: string, attempt = 0): Digest {
    const name = attempt === 0 ? purpose : `${purpose}\0${attempt}`;
    const { bytes, start, views } = this.#prepared.get(name) ?? this.#prepare(name, `${purpose}\0${attempt}\0`);
    if (start + value.length * MOST_BYTES_OF_UNIT > LONGEST_SHORT)
      return createHmac('sha256', this.#key).update(`${purpose}\0${attempt}\0${value}`).digest('binary');
    const end = start + bytes.write(value, start);
    this.#outer.write(hash('sha256', (views[end] ??= bytes.subarray(0, end)), 'binary'), PAD_BYTES, 'latin1');
    return hash('sha256', this.#outer, 'binary');
  }

  #prepare(name: string, prefix: string): Prepared {
    const bytes = pad(this.#key, INNER, LONGEST_SHORT);
    const prepared = { bytes, start: PAD_BYTES + bytes.write(prefix, PAD_BYTES), views: [] };
    this.#prepared.set(name, prepared);
    return prepared;
  }

  /** Any number of bytes that depend on a digest. */
  expand(digest: Digest, bytes: number): Buffer {
    return createCipheriv('aes-256-ctr', toBytes(digest), Buffer.alloc(IV_BYTES)).update(Buffer.alloc(bytes));
  }

  /**
   * A function of two numbers to 48 bits, for the rounds of a permutation: SHA-256 of a key and a block, of one length
   * always, which needs no HMAC.
   */
  createRounds(purpose: string): (round: number, half: number) => number {
    const block = Buffer.concat([toBytes(this.digest('rounds', purpose)), Buffer.alloc(ROUND_BYTES)]);
    return (round, half) => {
      block.writeUInt8(round, DIGEST_BYTES);
      block.writeUIntBE(half, DIGEST_BYTES + 1, ROUND_BYTES - 1);
      const made = hash('sha256', block, 'binary');
      return uint16At(made, 0) * 2 ** 32 + uint16At(made, 2) * 2 ** 16 + uint16At(made, 4);
    };
  }
}

/** 32 bytes, as a string of characters below 256. */
export type Digest = string;

export const toBytes = (digest: Digest) => Buffer.from(digest, 'latin1');

export const uint16At = (digest: Digest, at: number) => (digest.charCodeAt(at) << 8) | digest.charCodeAt(at + 1);

export const uint32At = (digest: Digest, at: number) => uint16At(digest, at) * 2 ** 16 + uint16At(digest, at + 2);

function pad(key: Buffer, byte: number, length: number): Buffer {
  const padded = Buffer.alloc(length);
  for (let at = 0; at < PAD_BYTES; at += 1) padded[at] = (key[at] ?? 0) ^ byte;
  return padded;
}

/** Two letters for ten bits: half as many steps. */
const PAIRS = Array.from({ length: 1024 }, (_, bits) => LETTERS[bits >> 5]! + LETTERS[bits & 31]!);

/** Letters and digits that are not confused, five bits of each byte. */
export function toLetters(digest: Digest, count: number, from = 0): string {
  let text = '';
  let at = from;
  for (const end = from + count; at < end - 1; at += 2)
    text += PAIRS[((digest.charCodeAt(at) & 31) << 5) | (digest.charCodeAt(at + 1) & 31)]!;
  return count % 2 === 0 ? text : text + LETTERS[digest.charCodeAt(at) & 31]!;
}
