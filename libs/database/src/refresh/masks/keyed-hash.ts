import { createCipheriv, createHmac } from 'node:crypto';

const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
const BLOCK_BYTES = 16;

/** The source of every mask: the same key and value give the same bytes, and no one without the key can repeat them. */
export class KeyedHash {
  readonly #key: Buffer;
  readonly #streams = new Map<string, (block: Buffer) => Buffer>();

  /** @param pair the environments between which rows move; each pair has its own pseudonyms */
  constructor(secret: string, pair: string) {
    this.#key = createHmac('sha256', secret).update(`airlock refresh ${pair}`).digest();
  }

  /** @param attempt another one gives other bytes, where the first result cannot be used */
  digest(purpose: string, value: string, attempt = 0): Buffer {
    return createHmac('sha256', this.#key).update(`${purpose}\0${attempt}\0${value}`).digest();
  }

  /** Any number of bytes that depend on a digest. */
  expand(digest: Buffer, bytes: number): Buffer {
    return createCipheriv('aes-256-ctr', digest, Buffer.alloc(BLOCK_BYTES)).update(Buffer.alloc(bytes));
  }

  /** A permutation of 16-byte blocks, ten times faster than a digest. */
  blockCipher(purpose: string): (block: Buffer) => Buffer {
    const known = this.#streams.get(purpose);
    if (known) return known;
    const cipher = createCipheriv('aes-256-ecb', this.digest('cipher', purpose), null).setAutoPadding(false);
    const encrypt = (block: Buffer) => cipher.update(block);
    this.#streams.set(purpose, encrypt);
    return encrypt;
  }
}

/** Letters and digits that are not confused, five bits each. */
export function toLetters(digest: Buffer, count: number): string {
  let text = '';
  for (let index = 0; index < count; index += 1) text += LETTERS[digest[index]! & 31]!;
  return text;
}
