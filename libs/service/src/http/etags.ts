import type { Environment } from '@airlock/config';
import { Problem } from '../problems/problem.js';

const TAG = /^"v([1-9]\d{0,8})-([a-z0-9-]+)"$/;

/**
 * The ETags of an environment. A copy of production has its ids and versions, so a tag without the environment would let
 * a client that has mixed up two addresses change a row that it has not seen.
 */
export class Etags {
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** A strong tag: the same version has the same bytes. */
  create(version: number): string {
    return `"v${version}-${this.#environment}"`;
  }

  /** The versions that a change may replace; undefined for `*`, any version. @throws Problem if the header is missing */
  parseIfMatch(header: string | undefined): readonly number[] | undefined {
    if (header === undefined) throw new Problem('precondition-required');
    if (header.trim() === '*') return undefined;
    return this.#parse(header);
  }

  /** Whether the caller already has this version. */
  isKnown(header: string | undefined, version: number): boolean {
    if (header === undefined) return false;
    return header.trim() === '*' || this.#parse(header.replaceAll('W/', '')).includes(version);
  }

  /** Any other tag than a strong tag of this environment matches no version. */
  #parse(header: string): number[] {
    return header.split(',').flatMap((tag) => {
      const [, version, environment] = TAG.exec(tag.trim()) ?? [];
      return environment === this.#environment ? [Number(version)] : [];
    });
  }
}
