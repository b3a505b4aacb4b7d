import type { Readable } from 'node:stream';

export interface PutOptions {
  readonly mediaType?: string;
  /** Ends the put, which then leaves nothing. */
  readonly signal?: AbortSignal;
}

export interface StoredObject {
  readonly name: string;
  readonly bytes: number;
}

/** Stores objects by name, without knowledge of environments. Names consist of `a-z`, digits, `.`, `-` and `/`. */
export interface Backend {
  /** For messages, without a secret: `the bucket files on s3.example.com:443`. */
  readonly description: string;
  /** Stores all bytes or nothing: an object is visible when its last byte is stored. */
  put(name: string, content: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<void>;
  /** Stores a few bytes under a name that must be new. */
  create(name: string, bytes: Buffer): Promise<void>;
  /** @throws StorageError missing */
  get(name: string): Promise<Readable>;
  /** Removes the object, and what an interrupted put of it left. Succeeds if there is neither. */
  delete(name: string): Promise<void>;
  list(prefix: string): AsyncIterable<StoredObject>;
  close(): void;
}
