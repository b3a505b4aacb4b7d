/** What a deploy command can end with, besides 0. A caller may rely on these numbers. */
export const EXIT = { usage: 2, refused: 3, rolledBack: 4, broken: 5, unfinished: 6 } as const;

/** A refusal or failure for people: what is wrong and what was expected, then the way out. Never a stack trace. */
export class DeployError extends Error {
  override readonly name = 'DeployError';
  readonly exitCode: number;
  /** What is known besides the words, for `--json`: the target, the environment, the digest. */
  result: object = {};

  constructor(problem: { text: string; mend: string; exitCode?: number; cause?: unknown }) {
    super(`${problem.text}\n  ${problem.mend}`, { cause: problem.cause });
    this.exitCode = problem.exitCode ?? EXIT.refused;
  }

  toJSON(): object {
    return { ...this.result, ok: false, exitCode: this.exitCode, reason: this.message };
  }
}

/** For what nobody foresaw: people get the words, and the cause stays for a debugger. */
export function toDeployError(error: unknown, where: string): DeployError {
  if (error instanceof DeployError) return error;
  const text = `${where}: ${error instanceof Error ? error.message : String(error)}`;
  return new DeployError({ text, mend: 'see what serves: airlock status', exitCode: EXIT.broken, cause: error });
}
