/** The fields of a `request` event in the log. The readable format shows them by these names. */
export interface RequestLine {
  readonly method: string;
  readonly path: string;
  readonly route: string | null;
  readonly status_code: number;
  readonly duration_ms: number;
  readonly user: string | null;
}
