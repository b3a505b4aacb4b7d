import { createHash, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Backend, PutOptions, StoredObject } from './backend.js';
import { readStorageStamp, refuseStamp } from './storage-stamp.js';
import { StorageError } from './storage-error.js';

const OWNER = /^[0-9a-f]{64}$/;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The objects of one environment. Nothing is read or written before the stamp has named that environment. */
export class Storage {
  readonly #backend: Backend;
  readonly #environment: string;
  #stamped: Promise<void> | undefined;

  constructor(backend: Backend, environment: string) {
    this.#backend = backend;
    this.#environment = environment;
  }

  /**
   * A new key, `environment/owner/id`. It holds no text of a user: a user id could contain `../`, and could be read by
   * others in a list of keys.
   */
  createKey(ownerId: string): string {
    return `${this.ownerPrefix(ownerId)}${randomUUID()}`;
  }

  /** The beginning of the keys of all objects of an owner, for example to remove an account. */
  ownerPrefix(ownerId: string): string {
    return `${this.#environment}/${createHash('sha256').update(ownerId).digest('hex')}/`;
  }

  /** Stores all bytes under the key or, if that fails, nothing that can be read. */
  async put(key: string, content: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<void> {
    this.#assertKey(key);
    await this.#assertStamp();
    await this.#backend.put(key, content, options);
  }

  /** @throws StorageError missing, also for the key of another environment, as in a copy of its database */
  async get(key: string): Promise<Readable> {
    this.#assertKey(key);
    await this.#assertStamp();
    return this.#backend.get(key);
  }

  /** Removes an object, and what an interrupted put of it left. Succeeds if there is neither. */
  async delete(key: string): Promise<void> {
    this.#assertKey(key);
    await this.#assertStamp();
    await this.#backend.delete(key);
  }

  async *list(prefix = `${this.#environment}/`): AsyncGenerator<StoredObject> {
    if (!prefix.startsWith(`${this.#environment}/`)) throw this.#foreignKey();
    await this.#assertStamp();
    yield* this.#backend.list(prefix);
  }

  /** Reads the stamp. @throws StorageError */
  async ping(): Promise<void> {
    const found = await readStorageStamp(this.#backend);
    if (found !== this.#environment) throw refuseStamp(this.#backend, { found, expected: this.#environment });
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

  #assertKey(key: string): void {
    const [environment, owner = '', id = '', ...rest] = key.split('/');
    if (environment === this.#environment && OWNER.test(owner) && ID.test(id) && rest.length === 0) return;
    throw this.#foreignKey();
  }

  #foreignKey(): StorageError {
    return new StorageError(
      'missing',
      `storage: the key is not one of ${this.#environment}; expected one of createKey`,
    );
  }
}
