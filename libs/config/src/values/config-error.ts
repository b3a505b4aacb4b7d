/** An error of the configuration, without the value of any secret. */
export interface Violation {
  /** The variable or file with the error. */
  readonly name: string;
  readonly problem: string;
  readonly expected: string;
  /** The command or setting that fixes the error. */
  readonly fix: string;
}

/** EX_CONFIG of sysexits.h. */
const EXIT_CONFIG = 78;

/** All errors of the configuration. Print only its message, because the stack does not help. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly exitCode = EXIT_CONFIG;
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[], options?: ErrorOptions) {
    const sorted = sortUnique(violations);
    super(sorted.map(formatViolation).join('\n'), options);
    this.violations = sorted;
    // Loggers would print the stack, which says nothing about the configuration.
    this.stack = `${this.name}: ${this.message}`;
  }
}

export function formatViolation({ name, problem, expected, fix }: Violation): string {
  return `${name}: ${problem}; expected ${expected}\n  ${fix}`;
}

/** Sorts lines of a file by their numbers. */
const byName = new Intl.Collator('en', { numeric: true }).compare;

function sortUnique(violations: readonly Violation[]): Violation[] {
  const byLine = new Map(violations.map((violation) => [formatViolation(violation), violation]));
  const entries = [...byLine.entries()].sort(([a, { name }], [b, other]) => byName(name, other.name) || byName(a, b));
  return entries.map(([, violation]) => violation);
}
