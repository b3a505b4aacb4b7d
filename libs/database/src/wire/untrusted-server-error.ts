/** The server asked for something that no server of ours asks for, or sent more than a session may hold. */
export class UntrustedServerError extends Error {
  override readonly name = 'UntrustedServerError';
  readonly exitCode = 69;
  readonly problem: string;
  readonly expected: string;
  readonly cure: string;

  constructor({ problem, expected, cure }: { problem: string; expected: string; cure: string }, cause?: unknown) {
    super(`database server: ${problem}; expected ${expected}\n  ${cure}`, { cause });
    this.problem = problem;
    this.expected = expected;
    this.cure = cure;
  }
}
