export interface Problem {
  readonly problem: string;
  /** The command or setting that mends it. There is none that overrides it. */
  readonly mend: string;
}

export interface Judgement {
  /** What the layer looked at, whatever it thinks of it. */
  readonly saw: string;
  readonly problems: readonly Problem[];
}

export interface Verdict {
  readonly layer: string;
  readonly title: string;
  /** `later`: in the clone, which is made only when every other layer holds. */
  readonly verdict: 'holds' | 'refuses' | 'not reached' | 'later';
  readonly saw: string;
  readonly danger?: string;
  readonly problems: readonly Problem[];
}

export function isRefusal(verdicts: readonly Verdict[]): boolean {
  return verdicts.some(({ verdict }) => verdict === 'refuses' || verdict === 'not reached');
}

/** A problem where the condition holds, nothing elsewhere. */
export function when(condition: boolean, problem: string, mend: string): Problem[] {
  return condition ? [{ problem, mend }] : [];
}
