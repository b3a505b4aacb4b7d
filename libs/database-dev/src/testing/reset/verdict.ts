export interface ResetProblem {
  readonly problem: string;
  /** The command or setting that mends it. There is none that overrides it. */
  readonly mend: string;
}

export interface Judgement {
  /** What the layer looked at, whatever it thinks of it. */
  readonly saw: string;
  readonly problems: readonly ResetProblem[];
}

export interface LayerVerdict {
  readonly layer: string;
  readonly title: string;
  /** `later`: in the clone, which is made only when every other layer holds. */
  readonly verdict: 'holds' | 'refuses' | 'not reached' | 'later';
  readonly saw: string;
  readonly danger?: string;
  readonly problems: readonly ResetProblem[];
}

export function isRefusal(verdicts: readonly LayerVerdict[]): boolean {
  return verdicts.some(({ verdict }) => verdict === 'refuses' || verdict === 'not reached');
}

/** A problem where the condition holds, nothing elsewhere. */
export function problemIf(condition: boolean, problem: string, mend: string): ResetProblem[] {
  return condition ? [{ problem, mend }] : [];
}
