import type { Config } from '@airlock/config';
import { openStorage, type Storage, StorageError } from '@airlock/storage';
import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { runOutsideRequests } from '../context/request-context.js';
import type { FileRegister } from './file-register.js';
import type { Content, Objects } from './file-objects.js';

export interface FileStoreOptions {
  readonly config: Pick<Config, 'environment' | 'httpClient' | 'storage'>;
  readonly register: FileRegister;
  readonly logger: Logger;
}

/** How often each process removes objects that were left, and how much of that is random. */
const [SWEEP_MS, SPREAD_MS] = [4 * 60_000, 2 * 60_000];

/**
 * The objects of the files that routes take and that jobs use. It opens the storage with the first route that takes
 * files, or for jobs.
 */
export class FileStore implements Objects {
  readonly #options: FileStoreOptions;
  #storage: Promise<Storage> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FileStoreOptions) {
    this.#options = options;
  }

  get isUsed(): boolean {
    return this.#timer !== undefined;
  }

  get hasStorage(): boolean {
    return this.#options.config.storage !== undefined;
  }

  /** For a process that runs jobs: they may use the storage where there is one. */
  useForJobs(): void {
    if (this.hasStorage) this.use();
  }

  /** Begins to remove what other processes left. */
  use(): void {
    this.#timer ??= setInterval(
      () => void runOutsideRequests(() => this.sweep()).catch((error: unknown) => this.#warn(error)),
      SWEEP_MS + Math.random() * SPREAD_MS,
    ).unref();
  }

  async put({ ownerId, mediaType, bytes, signal, forMs }: Content): Promise<string> {
    const storage = await this.#open();
    const key = storage.createKey(ownerId);
    await this.#options.register.expect(key, forMs);
    try {
      await storage.put(key, bytes, { mediaType, signal });
      return key;
    } catch (error) {
      void this.discard([key]);
      throw error;
    }
  }

  async get(key: string): Promise<Readable> {
    return (await this.#open()).get(key);
  }

  /** Removes objects that no transaction has kept. If it fails, the next sweep removes them. */
  async discard(keys: readonly string[]): Promise<void> {
    try {
      await this.#remove(await this.#options.register.claim(keys));
    } catch (error) {
      this.#warn(error);
    }
  }

  /** Removes objects whose time has come: of processes that were killed, and of files that were removed. */
  async sweep(): Promise<void> {
    await this.#remove(await this.#options.register.claimOld(this.#options.config.environment));
  }

  async ping(): Promise<void> {
    await (await this.#open()).ping();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    (await this.#storage?.catch(() => undefined))?.close();
  }

  async #remove(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const storage = await this.#open();
    for (const key of keys) await storage.delete(key);
    await this.#options.register.forget(keys);
    this.#options.logger.info({ count: keys.length }, 'files.removed');
  }

  #open(): Promise<Storage> {
    const { config } = this.#options;
    if (!config.storage)
      throw new StorageError('unavailable', 'STORAGE_URL: is not set; expected a folder or a bucket');
    this.#storage ??= openStorage(config.storage, config).catch((error: unknown) => {
      this.#storage = undefined;
      throw error;
    });
    return this.#storage;
  }

  #warn(error: unknown): void {
    this.#options.logger.warn({ error }, 'files.not_removed');
  }
}
