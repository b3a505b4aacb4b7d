import type { Readable } from 'node:stream';
import type { Backend, PutOptions, StoredObject } from './backend.js';
import { type Purpose, readStorageStamp, refuseStamp } from './storage-stamp.js';

/** Nothing is read or written before the stamp has named the environment. */
export class StampedBackend implements Backend {
  readonly description: string;
  readonly #backend: Backend;
  readonly #expected: string;
  readonly #purpose: Purpose;
  #stamped: Promise<void> | undefined;

  constructor(backend: Backend, { environment, purpose }: { environment: string; purpose: Purpose }) {
    this.description = backend.description;
    this.#backend = backend;
    this.#expected = environment;
    this.#purpose = purpose;
  }

  async put(name: string, content: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<void> {
    await this.#assertStamp();
    await this.#backend.put(name, content, options);
  }

  async create(name: string, bytes: Buffer): Promise<void> {
    await this.#assertStamp();
    await this.#backend.create(name, bytes);
  }

  async get(name: string): Promise<Readable> {
    await this.#assertStamp();
    return this.#backend.get(name);
  }

  async delete(name: string): Promise<void> {
    await this.#assertStamp();
    await this.#backend.delete(name);
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    await this.#assertStamp();
    yield* this.#backend.list(prefix);
  }

  /** Reads the stamp. @throws StorageError */
  async ping(): Promise<void> {
    const [expected, purpose] = [this.#expected, this.#purpose];
    const found = await readStorageStamp(this.#backend, purpose);
    if (found !== expected) throw refuseStamp(this.#backend, { found, expected, purpose });
  }

  close(): void {
    this.#backend.close();
  }

  /** Once per process, unless it fails. */
  #assertStamp(): Promise<void> {
    this.#stamped ??= this.ping().catch((error: unknown) => {
      this.#stamped = undefined;
      throw error;
    });
    return this.#stamped;
  }
}
