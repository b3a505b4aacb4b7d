import type { Config, Secret } from '@airlock/config';

/** The parts of the headers of a signed request. */
export interface Signed {
  /** The text that is signed together with the body and stands before it. */
  readonly prefix: string;
  /** HMAC-SHA256 values. One of them must match the bytes of the body. */
  readonly signatures: readonly Buffer[];
  /** When the request was signed, in Unix seconds. Omit it for a scheme that signs no time. */
  readonly timestamp?: string;
}

/**
 * How a caller without a token signs the body of its requests. A scheme only reads headers; the service computes and
 * compares the signatures.
 */
export interface SignatureScheme {
  /** Its name in the OpenAPI document and in the `WWW-Authenticate` header of a 401. */
  readonly name: string;
  /** The headers that it reads, in lower case. The first one has the signature. */
  readonly headers: readonly [string, ...string[]];
  /** The current key, and during a rotation also the previous one. */
  readonly keys: (config: Config) => readonly (Secret | undefined)[];
  /** The bytes of a key. Default: its characters. */
  readonly readKey?: (text: string) => Buffer;
  /** Gets the value of a header, which occurs exactly once. Returns undefined if a value is malformed. */
  readonly read: (header: (name: string) => string) => Signed | undefined;
}
