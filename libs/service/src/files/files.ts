import type { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { currentContext, type StoredFile } from '../context/request-context.js';
import type { FileRegister } from './file-register.js';
import { describeAttachment } from './attachment.js';

/** A file as its row describes it. */
export type FileRow = Pick<StoredFile, 'key' | 'name' | 'mediaType' | 'bytes'>;

/** The files of users: their objects are in the storage, and a row of the product names the key of each. */
export class Files {
  readonly #register: FileRegister;
  readonly #read: (key: string) => Promise<Readable>;

  /** @param read reads an object. @throws StorageError */
  constructor(register: FileRegister, read: (key: string) => Promise<Readable>) {
    this.#register = register;
    this.#read = read;
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
        'files: the file was kept before, or too late; expected one keep within the time limit of the request',
      );
    currentContext()?.keptFiles.add(key);
  }

  /** Removes the object some minutes after the transaction has committed, which also deletes the row. */
  async remove(tx: EntityManager, { key }: Pick<StoredFile, 'key'>): Promise<void> {
    await this.#register.remove(tx, key);
  }

  /**
   * The response of a route with `response: { file: true }`. Read the row as the user before: the key is all that this
   * needs.
   *
   * @throws StorageError missing, which responds with 404
   */
  async open({ key, name, mediaType, bytes }: FileRow): Promise<StreamableFile> {
    const content = await this.#read(key);
    return new StreamableFile(content, { type: mediaType, length: bytes, disposition: describeAttachment(name) });
  }
}
