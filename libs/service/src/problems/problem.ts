import { problems, type ProblemCode } from './problem-codes.js';

/** An invalid field: its place in the request, and the error. */
export interface FieldError {
  /** A JSON pointer into the body, or `#/query/…`, `#/path/…`. */
  readonly pointer: string;
  readonly detail: string;
}

export interface ProblemExtras {
  /** Written for users. Never the message of another error. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** The body of every error response (RFC 9457). */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail?: string;
  readonly instance?: string;
  readonly errors?: readonly FieldError[];
}

/** The same work may succeed later: too slow, in conflict, locked, too early, too often. */
const TRANSIENT = [408, 409, 423, 425, 429];

/** Throw this to respond with a problem of the registry. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly detail: string | undefined;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, { detail, errors, headers = {}, cause }: ProblemExtras = {}) {
    super(`${code}: ${detail ?? problems[code].title}`, { cause });
    this.code = code;
    this.detail = detail;
    this.errors = errors;
    this.headers = headers;
  }

  get status(): number {
    return problems[this.code].status;
  }

  /** Whether a job that throws it is a dead letter at once, instead of running again. */
  get isPermanent(): boolean {
    return this.status < 500 && !TRANSIENT.includes(this.status);
  }

  describe(requestId?: string): ProblemDetails {
    const { title, status } = problems[this.code];
    return {
      type: `urn:airlock:problem:${this.code}`,
      title,
      status,
      code: this.code,
      ...(this.detail !== undefined && { detail: this.detail }),
      ...(requestId !== undefined && { instance: `urn:airlock:request:${requestId}` }),
      ...(this.errors && { errors: this.errors }),
    };
  }
}
