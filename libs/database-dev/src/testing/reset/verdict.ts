export interface ResetProblem {
  readonly problem: string;
  /** The command or setting that fixes it. No command overrides it. */
  readonly fix: string;
}

export interface Judgement {
  /** The facts that the layer looked at, for either verdict. */
  readonly saw: string;
  readonly problems: readonly ResetProblem[];
}

export interface LayerVerdict {
  readonly layer: string;
  readonly title: string;
  /** `later`: checked in the clone, which is created only when every other layer holds. */
  readonly verdict: 'holds' | 'refuses' | 'not reached' | 'later';
  readonly saw: string;
  readonly danger?: string;
  readonly problems: readonly ResetProblem[];
}

export function isRefusal(verdicts: readonly LayerVerdict[]): boolean {
  return verdicts.some(({ verdict }) => verdict === 'refuses' || verdict === 'not reached');
}

/** A problem if the condition holds; otherwise none. */
export function problemIf(condition: boolean, problem: string, fix: string): ResetProblem[] {
  return condition ? [{ problem, fix }] : [];
}
