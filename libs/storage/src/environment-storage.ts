import { createHash, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { PutOptions, StoredObject } from './backend.js';
import type { StampedBackend } from './stamped-backend.js';
import { StorageError } from './storage-error.js';

const OWNER = /^[0-9a-f]{64}$/;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The objects of one environment, by keys that `createKey` makes. */
export class Storage {
  readonly #backend: StampedBackend;
  readonly #environment: string;

  constructor(backend: StampedBackend, environment: string) {
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
    await this.#backend.put(key, content, options);
  }

  /** @throws StorageError missing, also for the key of another environment, as in a copy of its database */
  async get(key: string): Promise<Readable> {
    this.#assertKey(key);
    return this.#backend.get(key);
  }

  /** Removes an object, and what an interrupted put of it left. Succeeds if there is neither. */
  async delete(key: string): Promise<void> {
    this.#assertKey(key);
    await this.#backend.delete(key);
  }

  async *list(prefix = `${this.#environment}/`): AsyncGenerator<StoredObject> {
    if (!prefix.startsWith(`${this.#environment}/`)) throw this.#foreignKey();
    yield* this.#backend.list(prefix);
  }

  /** Reads the stamp. @throws StorageError */
  async ping(): Promise<void> {
    await this.#backend.ping();
  }

  close(): void {
    this.#backend.close();
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
