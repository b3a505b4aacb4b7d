import { inspect } from 'node:util';

export const REDACTED = '[redacted]';

/**
 * A value that must not be shown: every way of printing it gives `[redacted]`, and a copy of it is empty. Only
 * `reveal()` returns the text; a lint rule lists the files that may call it.
 */
export class Secret {
  // A private field is invisible to keys, spread, structuredClone, JSON and util.inspect, even with showHidden.
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    Object.freeze(this);
  }

  reveal(): string {
    return this.#text;
  }

  /** Compares without revealing either side. */
  equals(other: Secret): boolean {
    return this.#text === other.#text;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.toPrimitive](): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
