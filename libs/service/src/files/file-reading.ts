import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { StoredFile } from '../context/request-context.js';
import { Problem } from '../problems/problem.js';
import type { FileRule } from './file-rules.js';
import { refuseField } from './form-reader.js';
import { ContentJudge, SAMPLE_BYTES } from './media-type.js';

export interface FilePart {
  readonly name: string;
  readonly file: Readable;
  readonly fileName: string | undefined;
  readonly rule: FileRule;
  readonly signal: AbortSignal;
}

/** The content of one file: judged by its first bytes, then counted and hashed while it is read. */
export class FileReading {
  readonly #part: FilePart;
  readonly #judge: ContentJudge;
  readonly #hash = createHash('sha256');
  readonly #rest: AsyncIterator<Buffer>;
  #sample: Buffer = Buffer.alloc(0);
  #bytes = 0;

  constructor(part: FilePart) {
    this.#part = part;
    this.#judge = new ContentJudge(part.rule.types);
    this.#rest = part.file[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** @returns undefined for no bytes, as a browser sends for an input without a file. @throws Problem */
  async begin(): Promise<string | undefined> {
    const chunks: Buffer[] = [];
    for (let bytes = 0; bytes < SAMPLE_BYTES;) {
      const next = await this.#rest.next();
      if (next.done) break;
      chunks.push(next.value);
      bytes += next.value.length;
    }
    this.#sample = Buffer.concat(chunks);
    if (this.#sample.length === 0) return undefined;
    const type = await this.#judge.judge(this.#sample);
    if (type === undefined) this.#refuseType();
    return type;
  }

  async *content(): AsyncGenerator<Buffer> {
    yield this.#take(this.#sample);
    for (;;) {
      const next = await this.#rest.next();
      if (next.done) break;
      yield this.#take(next.value);
    }
    if (!this.#judge.accepts(Buffer.alloc(0), true)) this.#refuseType();
  }

  result(): Pick<StoredFile, 'bytes' | 'sha256'> {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  #take(chunk: Buffer): Buffer {
    const { name, rule } = this.#part;
    this.#bytes += chunk.length;
    if (this.#bytes > rule.maxBytes) {
      const { errors } = refuseField(name, `is larger than ${rule.maxBytes} bytes`);
      throw new Problem('body-too-large', { errors: errors ?? [] });
    }
    if (!this.#judge.accepts(chunk, false)) this.#refuseType();
    this.#hash.update(chunk);
    return chunk;
  }

  #refuseType(): never {
    const { name, rule } = this.#part;
    throw refuseField(name, `is not ${rule.types.join(' or ')}, judged by its content`);
  }
}
