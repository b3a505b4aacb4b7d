/** The exit codes of the deploy commands, besides 0. Callers may rely on these numbers. */
export const EXIT = { usage: 2, refused: 3, rolledBack: 4, broken: 5, unfinished: 6 } as const;

/** An error for the operator: the problem, the expected state, then the fix. Never a stack trace. */
export class DeployError extends Error {
  override readonly name = 'DeployError';
  readonly exitCode: number;
  /** Fields for `--json`: the target, the environment, the digest. */
  result: object = {};

  constructor(problem: { text: string; fix: string; exitCode?: number; cause?: unknown }) {
    super(`${problem.text}\n  ${problem.fix}`, { cause: problem.cause });
    this.exitCode = problem.exitCode ?? EXIT.refused;
  }

  toJSON(): object {
    return { ...this.result, ok: false, exitCode: this.exitCode, reason: this.message };
  }
}

/** Wraps an unexpected error: the operator sees its message, and a debugger its cause. */
export function toDeployError(error: unknown, where: string): DeployError {
  if (error instanceof DeployError) return error;
  const text = `${where}: ${error instanceof Error ? error.message : String(error)}`;
  return new DeployError({
    text,
    fix: 'check the running release: airlock status',
    exitCode: EXIT.broken,
    cause: error,
  });
}
