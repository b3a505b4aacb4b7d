/** The server requested something that our servers never request, or sent more than a session may store. */
export class UntrustedServerError extends Error {
  override readonly name = 'UntrustedServerError';
  readonly exitCode = 69;
  readonly problem: string;
  readonly expected: string;
  readonly fix: string;

  constructor({ problem, expected, fix }: { problem: string; expected: string; fix: string }, cause?: unknown) {
    super(`database server: ${problem}; expected ${expected}\n  ${fix}`, { cause });
    this.problem = problem;
    this.expected = expected;
    this.fix = fix;
  }
}
