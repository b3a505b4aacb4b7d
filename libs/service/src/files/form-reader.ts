import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { Problem } from '../problems/problem.js';
import { FIELDS_BYTES } from './file-rules.js';

export interface FormOptions {
  readonly headers: IncomingHttpHeaders;
  /** The names of the parts that are files. */
  readonly fileNames: readonly string[];
  readonly maxBytes: number;
  /** Ends the reading with its reason. */
  readonly signal: AbortSignal;
  /** Reads all of a file; the next part waits for it. */
  readonly onFile: (name: string, file: Readable, fileName: string | undefined) => Promise<void>;
}

export type FormTexts = Record<string, string>;

const LIMITS = { fields: 100, fieldSize: FIELDS_BYTES, headerPairs: 20, headerSize: 8 * 1024 };
const FORBIDDEN = ['__proto__', 'constructor', 'prototype'];
/** The character that a decoder writes in place of bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd';

/**
 * Reads a body in multipart/form-data, part by part and never faster than its files are read.
 *
 * @throws Problem, or what `onFile` throws; every `onFile` has ended by then
 */
export async function readForm(body: Readable, options: FormOptions): Promise<FormTexts> {
  const form = new FormReading(options);
  try {
    return await form.read(body);
  } finally {
    // The rest of a refused body is dropped, so that the client can read the response.
    body.resume();
  }
}

class FormReading {
  readonly #options: FormOptions;
  readonly #fields: FormTexts = Object.create(null) as FormTexts;
  readonly #seen = new Set<string>();
  readonly #files: Promise<void>[] = [];
  #bytes = 0;
  #fieldBytes = 0;
  #file: BusboyFileStream | undefined;
  #reject!: (error: unknown) => void;

  constructor(options: FormOptions) {
    this.#options = options;
  }

  async read(body: Readable): Promise<FormTexts> {
    const { signal, maxBytes } = this.#options;
    const parser = this.#createParser();
    const refuse = () => this.#reject(signal.reason);
    const leave = () => {
      if (!body.readableEnded) this.#reject(new Problem('incomplete-request'));
    };
    const count = ({ length }: Buffer) => {
      if ((this.#bytes += length) > maxBytes) this.#reject(new Problem('body-too-large'));
    };
    try {
      await new Promise<void>((resolve, reject) => {
        this.#reject = reject;
        parser.once('finish', resolve).once('error', (cause: Error) => reject(malformed(cause)));
        signal.addEventListener('abort', refuse, { once: true });
        body.on('data', count).once('close', leave).once('error', leave).pipe(parser);
        if (signal.aborted) refuse();
        if (body.destroyed) leave();
      });
      await Promise.all(this.#files);
      return this.#fields;
    } catch (error) {
      body.unpipe(parser);
      this.#file?.destroy(error as Error);
      await Promise.allSettled(this.#files);
      throw error;
    } finally {
      signal.removeEventListener('abort', refuse);
      body.off('data', count).off('close', leave).off('error', leave);
      body.on('error', () => undefined);
    }
  }

  #createParser(): BusboyInstance {
    const { headers, fileNames } = this.#options;
    try {
      const parser = new Busboy({
        headers: headers as ConstructorParameters<typeof Busboy>[0]['headers'],
        limits: LIMITS,
        isPartAFile: (name, _, fileName) => fileName !== undefined || fileNames.includes(name ?? ''),
      });
      return parser
        .on('file', (name, file, fileName) => this.#readFile(name, file, fileName))
        .on('field', (name, value, _, isTruncated) => this.#readField(name, { value, isTruncated }))
        .on('fieldsLimit', () =>
          this.#reject(new Problem('body-too-large', { detail: 'The form has too many fields.' })),
        );
    } catch (cause) {
      throw malformed(cause);
    }
  }

  #readFile(name: string | undefined, file: BusboyFileStream, fileName: string | undefined): void {
    file.on('error', () => undefined);
    this.#file = file;
    if (!this.#isNew(name)) return;
    if (!this.#options.fileNames.includes(name)) return this.#refuseField(name, 'is not a file of this address');
    const reading = this.#options.onFile(name, file, fileName);
    this.#files.push(reading);
    reading.catch((error: unknown) => this.#reject(error));
  }

  #readField(name: string | undefined, { value, isTruncated }: { value: string; isTruncated: boolean }): void {
    if (!this.#isNew(name)) return;
    if (isTruncated || (this.#fieldBytes += value.length) > FIELDS_BYTES)
      return this.#reject(new Problem('body-too-large', { detail: 'The fields of the form are too long.' }));
    if (value.includes(REPLACEMENT) || name.includes(REPLACEMENT))
      return this.#reject(new Problem('malformed-request', { detail: 'The form is not encoded as UTF-8.' }));
    this.#fields[name] = value;
  }

  #isNew(name: string | undefined): name is string {
    if (name === undefined || name === '' || FORBIDDEN.includes(name))
      this.#reject(new Problem('malformed-request', { detail: 'A part of the form has no valid name.' }));
    else if (this.#seen.has(name)) this.#refuseField(name, 'is repeated');
    else return this.#seen.add(name) !== undefined;
    return false;
  }

  #refuseField(name: string, detail: string): void {
    this.#reject(refuseField(name, detail));
  }
}

/** The error of one part of the form. */
export function refuseField(name: string, detail: string): Problem {
  const pointer = `#/${encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1').toWellFormed())}`;
  return new Problem('validation-failed', { errors: [{ pointer, detail }] });
}

function malformed(cause: unknown): Problem {
  return new Problem('malformed-request', { detail: 'The body is not a valid form.', cause });
}
