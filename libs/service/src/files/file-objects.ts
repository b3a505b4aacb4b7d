import type { Readable } from 'node:stream';

export interface Content {
  readonly ownerId: string;
  readonly mediaType: string;
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  /** How long it may take until the row of the file is committed. */
  readonly forMs: number;
}

/** The objects of files. */
export interface Objects {
  /** @returns the key. The object is removed unless its key is kept in time. */
  put(content: Content): Promise<string>;
  /** @throws StorageError missing */
  get(key: string): Promise<Readable>;
}
