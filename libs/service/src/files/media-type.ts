import { TextDecoder } from 'node:util';
import { fileTypeFromBuffer } from 'file-type';

/** As much as file-type reads at most of a stream; some formats are told by their inner names. */
export const SAMPLE_BYTES = 16 * 1024;

/** Characters that no text has, so that binary content does not pass for text. */
const CONTROL = /[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]/;

/** Judges content by its bytes. */
export class ContentJudge {
  readonly #types: readonly string[];
  #decoder: TextDecoder | undefined;

  constructor(types: readonly string[]) {
    this.#types = types;
  }

  /** @returns the media type, or undefined if it is not one of the types */
  async judge(sample: Buffer): Promise<string | undefined> {
    const found = await fileTypeFromBuffer(sample);
    if (found) return this.#types.includes(found.mime) ? found.mime : undefined;
    const text = this.#types.find((type) => isText(type));
    if (text !== undefined) this.#decoder = new TextDecoder('utf-8', { fatal: true });
    return text;
  }

  /** Whether the next bytes fit the type that was found, which only a text can fail. */
  accepts(chunk: Buffer, isLast: boolean): boolean {
    if (!this.#decoder) return true;
    try {
      return !CONTROL.test(this.#decoder.decode(chunk, { stream: !isLast }));
    } catch {
      return false;
    }
  }
}

export function isText(type: string): boolean {
  return type.startsWith('text/') || type === 'application/json';
}
