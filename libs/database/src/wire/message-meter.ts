import { UntrustedServerError } from './untrusted-server-error.js';

const KIBIBYTE = 1024;
const HEADER_BYTES = 5;
const LENGTH_BYTES = 4;
const [ERROR, NOTICE] = ['E', 'N'].map((code) => code.charCodeAt(0));

export interface MeterLimits {
  /** Limit of one message in bytes. */
  readonly message: number;
  /** Limit of all messages in bytes. */
  readonly total: number;
}

/** Far more than a server sends before a session is open, and more than any of our rows afterwards. */
export const HANDSHAKE_LIMITS: MeterLimits = { message: 64 * KIBIBYTE, total: 1024 * KIBIBYTE };
export const SESSION_LIMITS: MeterLimits = { message: 256 * KIBIBYTE ** 2, total: Number.POSITIVE_INFINITY };

/**
 * Reads the frame of each message before pg does. pg allocates whatever length is announced, and loops for ever over an
 * error or notice whose list of fields is not terminated.
 */
export class MessageMeter {
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #bodyBytes = 0;
  #total = 0;
  #hasFields = false;
  #position: 'field' | 'text' | 'end' = 'field';

  /** @throws UntrustedServerError when a message is malformed, announces more than its limit, or all exceed theirs */
  count(chunk: Buffer, limits: MeterLimits): void {
    this.#total += chunk.length;
    if (this.#total > limits.total) throw unlike(`sends over ${limits.total} bytes before a session is open`);
    for (let offset = 0; offset < chunk.length;) {
      offset +=
        this.#bodyBytes > 0
          ? this.#readBody(chunk.subarray(offset, offset + this.#bodyBytes))
          : this.#readHeader(chunk.subarray(offset), limits.message);
    }
  }

  #readHeader(rest: Buffer, limit: number): number {
    const taken = rest.copy(this.#header, this.#headerBytes);
    this.#headerBytes += taken;
    if (this.#headerBytes < HEADER_BYTES) return taken;
    this.#headerBytes = 0;
    const length = this.#header.readUInt32BE(1);
    if (length < LENGTH_BYTES || length > limit) throw unlike(`announces a message of ${length} bytes`);
    this.#bodyBytes = length - LENGTH_BYTES;
    this.#hasFields = this.#header[0] === ERROR || this.#header[0] === NOTICE;
    this.#position = 'field';
    if (this.#bodyBytes === 0) this.#assertEnded();
    return taken;
  }

  #readBody(part: Buffer): number {
    if (this.#hasFields) for (const byte of part) this.#readField(byte);
    this.#bodyBytes -= part.length;
    if (this.#bodyBytes === 0) this.#assertEnded();
    return part.length;
  }

  /** Repeated: a letter and a text that ends in a zero byte. A zero byte in place of the letter ends the list. */
  #readField(byte: number): void {
    if (this.#position === 'text') this.#position = byte === 0 ? 'field' : 'text';
    else if (this.#position === 'field') this.#position = byte === 0 ? 'end' : 'text';
  }

  #assertEnded(): void {
    if (this.#hasFields && this.#position !== 'end') throw unlike('sends an error or notice without an end');
  }
}

function unlike(problem: string): UntrustedServerError {
  return new UntrustedServerError({
    problem,
    expected: 'messages as PostgreSQL sends them',
    fix: 'find out which program listens on this port',
  });
}
