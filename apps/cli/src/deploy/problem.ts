/** What a deploy command can end with, besides 0. A caller may rely on these numbers. */
export const EXIT = { usage: 2, refused: 3, rolledBack: 4, broken: 5, smoke: 6 } as const;

/** A refusal or failure for people: what is wrong and what was expected, then the way out. Never a stack trace. */
export class DeployError extends Error {
  override readonly name = 'DeployError';
  readonly exitCode: number;

  constructor(problem: { text: string; mend: string; exitCode?: number; cause?: unknown }) {
    super(`${problem.text}\n  ${problem.mend}`, { cause: problem.cause });
    this.exitCode = problem.exitCode ?? EXIT.refused;
  }
}
