import { createCipheriv, createHmac, hash } from 'node:crypto';

const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
const BLOCK_BYTES = 16;
const PAD_BYTES = 64;
const DIGEST_BYTES = 32;
const [INNER, OUTER] = [0x36, 0x5c];
const LONGEST_KEPT = 64 * 1024;

/** The source of every mask: the same key and value give the same bytes, which nothing but the key can repeat. */
export class KeyedHash {
  readonly #key: Buffer;
  readonly #ciphers = new Map<string, (block: Buffer) => Buffer>();
  readonly #inner: Buffer;
  readonly #outer: Buffer;

  /** @param pair the environments between which rows move; each pair has its own pseudonyms */
  constructor(secret: string, pair: string) {
    this.#key = createHmac('sha256', secret).update(`refresh ${pair}`).digest();
    this.#inner = pad(this.#key, INNER, LONGEST_KEPT);
    this.#outer = pad(this.#key, OUTER, PAD_BYTES + DIGEST_BYTES);
  }

  /**
   * HMAC-SHA256 (RFC 2104) of the value. Written out, because node:crypto takes four times as long to set up an Hmac as
   * to hash a short text.
   *
   * @param attempt another one gives other bytes, where the first result cannot be used
   */
  digest(purpose: string, value: string, attempt = 0): Buffer {
    const text = `${purpose}\0${attempt}\0${value}`;
    if (text.length * 3 > LONGEST_KEPT - PAD_BYTES) return createHmac('sha256', this.#key).update(text).digest();
    const end = PAD_BYTES + this.#inner.write(text, PAD_BYTES);
    hash('sha256', this.#inner.subarray(0, end), 'buffer').copy(this.#outer, PAD_BYTES);
    return hash('sha256', this.#outer, 'buffer');
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

/** Letters and digits that are not confused, five bits each. */
export function toLetters(digest: Buffer, count: number): string {
  let text = '';
  for (let index = 0; index < count; index += 1) text += LETTERS[digest[index]! & 31]!;
  return text;
}
