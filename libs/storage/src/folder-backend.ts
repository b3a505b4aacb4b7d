import { constants, createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { Backend, PutOptions, StoredObject } from './backend.js';
import { StorageError } from './storage-error.js';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const UNFINISHED = '.part';
const [FOLDER_MODE, FILE_MODE] = [0o700, 0o600];

/**
 * Objects as files of one folder, for development and testing. The slashes of a name become `~`, so that no folder
 * inside could be replaced by a link to another place.
 */
export class Folder implements Backend {
  readonly description: string;
  readonly #root: string;

  /** @param path relative paths are those of the working folder */
  constructor(path: string) {
    this.#root = resolve(path);
    this.description = `the folder ${this.#root}`;
  }

  async put(name: string, content: AsyncIterable<Uint8Array>, { signal }: PutOptions = {}): Promise<void> {
    const path = this.#pathOf(name);
    await this.#attempt(async () => {
      const file = await open(`${path}${UNFINISHED}`, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
      try {
        for await (const chunk of content) {
          signal?.throwIfAborted();
          await file.writeFile(chunk);
        }
        signal?.throwIfAborted();
        await file.sync();
        await rename(`${path}${UNFINISHED}`, path);
      } catch (error) {
        await unlink(`${path}${UNFINISHED}`).catch(() => undefined);
        throw error;
      } finally {
        await file.close();
      }
    });
  }

  async create(name: string, bytes: Buffer): Promise<void> {
    await this.#attempt(() => writeFile(this.#pathOf(name), bytes, { flag: 'wx', mode: FILE_MODE }));
  }

  async get(name: string): Promise<Readable> {
    return this.#attempt(async () => {
      const path = this.#pathOf(name);
      const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      if ((await file.stat()).isFile()) return createReadStream(path, { fd: file });
      await file.close();
      throw new StorageError('missing', 'storage: the object is not a file');
    });
  }

  async delete(name: string): Promise<void> {
    const paths = [this.#pathOf(name), `${this.#pathOf(name)}${UNFINISHED}`];
    await this.#attempt(() => Promise.all(paths.map(removeIfThere)));
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    const start = toFileName(prefix);
    // The first call, before a stamp is written, creates the folder.
    await this.#attempt(() => mkdir(this.#root, { recursive: true, mode: FOLDER_MODE }));
    for (const file of (await this.#attempt(() => readdir(this.#root))).sort()) {
      if (!file.startsWith(start) || file.endsWith(UNFINISHED)) continue;
      const { size } = await this.#attempt(() => stat(join(this.#root, file)));
      yield { name: file.replaceAll('~', '/'), bytes: size };
    }
  }

  close(): void {
    // Nothing is open between calls.
  }

  #pathOf(name: string): string {
    return join(this.#root, toFileName(name));
  }

  async #attempt<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      const { code, syscall } = error as NodeJS.ErrnoException;
      if (code === undefined || syscall === undefined) throw error;
      // ELOOP: a link in the place of an object.
      if (code === 'ENOENT' || code === 'ELOOP') throw new StorageError('missing', 'storage: no such object', error);
      throw new StorageError('unavailable', `storage: ${this.description} fails with ${code}`, error);
    }
  }
}

/** @throws Error for a name that could leave the folder, which no caller passes */
function toFileName(name: string): string {
  if (!/^[a-z0-9.\/-]*$/.test(name) || /(^|\/)\.{1,2}(\/|$)/.test(name)) throw new Error('storage: not a valid name');
  return name.replaceAll('/', '~');
}

async function removeIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
