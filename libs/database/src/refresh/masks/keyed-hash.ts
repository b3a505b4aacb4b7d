import { createCipheriv, createHmac, hash } from 'node:crypto';

const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
const BLOCK_BYTES = 16;
const PAD_BYTES = 64;
const DIGEST_BYTES = 32;
const [INNER, OUTER] = [0x36, 0x5c];
const LONGEST_KEPT = 64 * 1024;
const LONGEST_VIEW = 1024;

/** The source of every mask: the same key and value give the same bytes, which nothing but the key can repeat. */
export class KeyedHash {
  readonly #key: Buffer;
  readonly #ciphers = new Map<string, (block: Buffer) => Buffer>();
  readonly #inner: Buffer;
  readonly #outer: Buffer;
  readonly #views: Buffer[] = [];

  /** @param pair the environments between which rows move; each pair has its own pseudonyms */
  constructor(secret: string, pair: string) {
    this.#key = createHmac('sha256', secret).update(`refresh ${pair}`).digest();
    this.#inner = pad(this.#key, INNER, LONGEST_KEPT);
    this.#outer = pad(this.#key, OUTER, PAD_BYTES + DIGEST_BYTES);
  }

  /**
   * HMAC-SHA256 (RFC 2104) of the value. Written out, because node:crypto takes four times as long to set up an Hmac as
   * to hash a short text, and twice as long to return a Buffer as to return a string of its bytes.
   *
   * @param attempt another one gives other bytes, where the first result cannot be used
   */
  digest(purpose: string, value: string, attempt = 0): Buffer {
    const text = `${purpose}\0${attempt}\0${value}`;
    if (text.length * 3 > LONGEST_KEPT - PAD_BYTES) return createHmac('sha256', this.#key).update(text).digest();
    const end = PAD_BYTES + this.#inner.write(text, PAD_BYTES);
    this.#outer.write(hash('sha256', this.#innerUntil(end), 'binary'), PAD_BYTES, 'latin1');
    return Buffer.from(hash('sha256', this.#outer, 'binary'), 'latin1');
  }

  #innerUntil(end: number): Buffer {
    if (end >= LONGEST_VIEW) return this.#inner.subarray(0, end);
    return (this.#views[end] ??= this.#inner.subarray(0, end));
  }

  /** Any number of bytes that depend on a digest. */
  expand(digest: Buffer, bytes: number): Buffer {
    return createCipheriv('aes-256-ctr', digest, Buffer.alloc(BLOCK_BYTES)).update(Buffer.alloc(bytes));
  }

  /** A permutation of 16-byte blocks, faster than a digest. */
  blockCipher(purpose: string): (block: Buffer) => Buffer {
    const known = this.#ciphers.get(purpose);
    if (known) return known;
    const cipher = createCipheriv('aes-256-ecb', this.digest('cipher', purpose), null).setAutoPadding(false);
    const encrypt = (block: Buffer) => cipher.update(block);
    this.#ciphers.set(purpose, encrypt);
    return encrypt;
  }
}

function pad(key: Buffer, byte: number, length: number): Buffer {
  const padded = Buffer.alloc(length);
  for (let at = 0; at < PAD_BYTES; at += 1) padded[at] = (key[at] ?? 0) ^ byte;
  return padded;
}

/** Two letters for ten bits: half as many steps. */
const PAIRS = Array.from({ length: 1024 }, (_, bits) => LETTERS[bits >> 5]! + LETTERS[bits & 31]!);

/** Letters and digits that are not confused, five bits of each byte. */
export function toLetters(digest: Buffer, count: number, from = 0): string {
  let text = '';
  let at = from;
  for (const end = from + count; at < end - 1; at += 2) text += PAIRS[((digest[at]! & 31) << 5) | (digest[at + 1]! & 31)]!;
  return count % 2 === 0 ? text : text + LETTERS[digest[at]! & 31]!;
}
