/** One file that a route takes. */
export interface FileRule {
  readonly maxBytes: number;
  /**
   * Media types, judged by the content and never by what the client says. Types that file-type knows by their first
   * bytes, and at most one text type, which stands for any text in UTF-8.
   */
  readonly types: readonly string[];
  readonly isOptional?: true;
}

/** The files of a body in multipart/form-data, by the name of their part. Its other parts are text fields. */
export type FileRules = Readonly<Record<string, FileRule>>;

/** Of the text fields together, and of the headers of the parts. */
export const FIELDS_BYTES = 64 * 1024;
const [FIRST_MS, BYTES_PER_MS] = [30_000, 50];

export function limitBytes(rules: FileRules): number {
  return Object.values(rules).reduce((sum, { maxBytes }) => sum + maxBytes, FIELDS_BYTES);
}

/** Enough for a body of this size over a line of 50 kB/s. A slower client is disconnected. */
export function limitMs(bytes: number): number {
  return FIRST_MS + Math.ceil(bytes / BYTES_PER_MS);
}
