import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Environment, Secret } from '@airlock/config';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const KEY_ID_BYTES = 6;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = /^([A-Za-z0-9_-]{8})\.([A-Za-z0-9_-]{38,})$/;

interface Key {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** A sealed text belongs to a purpose, and to a row or provider. It opens with the same words only. */
export type Place = readonly [purpose: string, ...parts: string[]];

/**
 * Encrypts tokens and mints states. The first key of `CONNECTION_KEYS` seals and all of them open. Each is derived for
 * its environment, so that even the same text in two environments gives different keys.
 */
export class Keyring {
  readonly #keys: readonly Key[];

  constructor(keys: Secret | undefined, environment: Environment) {
    const texts = keys?.reveal().split(',') ?? [];
    this.#keys = texts.map((text) => {
      const derive = (use: string, bytes: number) =>
        new Uint8Array(hkdfSync('sha256', text, '', `connected accounts ${environment} ${use}`, bytes));
      return { id: Buffer.from(derive('id', KEY_ID_BYTES)).toString('base64url'), bytes: derive('key', KEY_BYTES) };
    });
  }

  /** The first part of every text that the current key has sealed. */
  get currentPrefix(): string {
    return `${this.#current.id}.`;
  }

  seal(value: unknown, place: Place): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.#current.bytes, iv).setAAD(describe(place));
    const text = Buffer.concat([iv, cipher.update(JSON.stringify(value)), cipher.final(), cipher.getAuthTag()]);
    return this.currentPrefix + text.toString('base64url');
  }

  /** @returns undefined if no key of this environment has sealed the text for this place */
  open(sealed: string, place: Place): unknown {
    const [, id, text = ''] = SEALED.exec(sealed) ?? [];
    const key = this.#keys.find((one) => one.id === id);
    if (!key) return undefined;
    const bytes = Buffer.from(text, 'base64url');
    const [iv, end] = [bytes.subarray(0, IV_BYTES), bytes.length - TAG_BYTES];
    const decipher = createDecipheriv(CIPHER, key.bytes, iv, { authTagLength: TAG_BYTES }).setAAD(describe(place));
    try {
      decipher.setAuthTag(bytes.subarray(end));
      const plain = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, end)), decipher.final()]);
      return JSON.parse(plain.toString()) as unknown;
    } catch {
      return undefined;
    }
  }

  get #current(): Key {
    const [key] = this.#keys;
    if (!key) throw new Error('CONNECTION_KEYS: is not set; expected a key, because a provider is configured');
    return key;
  }
}

/** Unambiguous: no two places have the same text. */
function describe(place: Place): Buffer {
  return Buffer.from(JSON.stringify(place));
}
