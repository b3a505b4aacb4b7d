/** One thing that is wrong, without the value of any secret. */
export interface Violation {
  /** The variable, or the file, that must be mended. */
  readonly name: string;
  readonly problem: string;
  readonly expected: string;
  /** The command or the setting that mends it. */
  readonly mend: string;
}

/** EX_CONFIG of sysexits.h. */
const EXIT_CONFIG = 78;

/** Everything that is wrong with the configuration at once. Print its message; its stack helps nobody. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly exitCode = EXIT_CONFIG;
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[], options?: ErrorOptions) {
    const sorted = sortUnique(violations);
    super(sorted.map(formatViolation).join('\n'), options);
    this.violations = sorted;
    // A stack would be printed by whatever logs this error, and says nothing about the configuration.
    this.stack = `${this.name}: ${this.message}`;
  }
}

export function formatViolation({ name, problem, expected, mend }: Violation): string {
  return `${name}: ${problem}; expected ${expected}\n  ${mend}`;
}

/** Lines of a file in the order of their numbers. */
const byName = new Intl.Collator('en', { numeric: true }).compare;

function sortUnique(violations: readonly Violation[]): Violation[] {
  const byLine = new Map(violations.map((violation) => [formatViolation(violation), violation]));
  const entries = [...byLine.entries()].sort(([a, { name }], [b, other]) => byName(name, other.name) || byName(a, b));
  return entries.map(([, violation]) => violation);
}
