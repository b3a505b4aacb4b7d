import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { currentContext, type StoredFile } from '../context/request-context.js';
import { assertOutsideTransactions } from '../data/transaction.js';
import { cleanFileName, describeAttachment } from './attachment.js';
import type { FileRegister } from './file-register.js';
import type { Objects } from './file-objects.js';

/** A file as its row describes it. */
export type FileRow = Pick<StoredFile, 'key' | 'name' | 'mediaType' | 'bytes'>;

/** A file that a job or a route makes. */
export interface NewFile {
  readonly ownerId: string;
  readonly name: string;
  readonly mediaType: string;
  readonly content: AsyncIterable<Uint8Array>;
  /** Of the job or the request: when it is aborted, nothing is stored. */
  readonly signal: AbortSignal;
}

/** How long it may take until the row of a new file is committed. */
const KEEP_WITHIN_MS = 60 * 60_000;

/** The files of users: their objects are in the storage, and a row of the product names the key of each. */
export class Files {
  readonly #register: FileRegister;
  readonly #objects: Objects;

  constructor(register: FileRegister, objects: Objects) {
    this.#register = register;
    this.#objects = objects;
  }

  /**
   * Stores the object of a new file, before the transaction that writes its row and calls `keep`. Without that, the object
   * is removed an hour later.
   *
   * @throws Error inside of a transaction, which could be rolled back and leave the object
   * @throws StorageError
   */
  async store({ ownerId, name, mediaType, content, signal }: NewFile): Promise<StoredFile> {
    assertOutsideTransactions('files.store', 'it before the transaction, and files.keep in it');
    const hash = createHash('sha256');
    let bytes = 0;
    const measure = async function* () {
      for await (const chunk of content) {
        bytes += chunk.length;
        hash.update(chunk);
        yield chunk;
      }
    };
    const key = await this.#objects.put({ ownerId, mediaType, bytes: measure(), signal, forMs: KEEP_WITHIN_MS });
    return { key, name: cleanFileName(name), mediaType, bytes, sha256: hash.digest('hex') };
  }

  /**
   * Keeps the object of a file if the transaction commits, which also writes the row with its key. Every other object
   * of the request is removed.
   *
   * @throws Error if the object is already being removed
   */
  async keep(tx: EntityManager, { key }: Pick<StoredFile, 'key'>): Promise<void> {
    if (!(await this.#register.keep(tx, key)))
      throw new Error(
        'files: the file was kept before, or too late; expected one keep, within the time limit of the request or an hour after store',
      );
    currentContext()?.keptFiles.add(key);
  }

  /** Removes the object some minutes after the transaction has committed, which also deletes the row. */
  async remove(tx: EntityManager, { key }: Pick<StoredFile, 'key'>): Promise<void> {
    await this.#register.remove(tx, key);
  }

  /** The content of a file. Read its row as the user before. @throws StorageError missing */
  read({ key }: Pick<FileRow, 'key'>): Promise<Readable> {
    return this.#objects.get(key);
  }

  /**
   * The response of a route with `response: { file: true }`. Read the row as the user before: the key is all that this
   * needs.
   *
   * @throws StorageError missing, which responds with 404
   */
  async open({ key, name, mediaType, bytes }: FileRow): Promise<StreamableFile> {
    const content = await this.#objects.get(key);
    return new StreamableFile(content, { type: mediaType, length: bytes, disposition: describeAttachment(name) });
  }
}
