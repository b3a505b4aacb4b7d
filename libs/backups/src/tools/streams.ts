import { createHash } from 'node:crypto';

export type Bytes = AsyncIterable<Uint8Array>;

/** Counts and hashes what passes through. */
export class Checksum {
  bytes = 0;
  readonly #hash = createHash('sha256');

  async *through(source: Bytes): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      this.bytes += chunk.length;
      this.#hash.update(chunk);
      yield chunk;
    }
  }

  /** Once, after the last byte. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}

export async function drain(source: Bytes): Promise<void> {
  for await (const chunk of source) void chunk;
}
