import type { LintFinding } from './rules/lint-rule.js';
import { lintRules } from './rules/index.js';
import { COVERED } from './squawk.js';
import type { ParsedStatement } from './syntax/statement.js';
import { INEXCUSABLE, TRACE_RULES } from './trace/judge-traces.js';

/** Rules about files and exceptions, beside those about statements. */
const FORM_RULES = ['unreadable', 'misplaced-exception', 'unknown-exception', 'unused-exception', 'short-reason'];
export const OUR_RULES = [...lintRules.map(({ name }) => name), ...TRACE_RULES, ...FORM_RULES];

const SHORTEST_REASON = 20;

/** Removes what a statement is allowed, and adds what is wrong with the exceptions themselves. */
export function applyExceptions(
  statements: readonly ParsedStatement[],
  findings: readonly LintFinding[],
): LintFinding[] {
  const isAllowed = ({ statement, rule }: LintFinding) =>
    !INEXCUSABLE.has(rule) && statements[statement ?? -1]?.allow[rule] !== undefined;
  return [
    ...findings.filter((finding) => !isAllowed(finding)),
    ...statements.flatMap((s) => judgeExceptions(s, findings)),
  ];
}

function judgeExceptions(
  { migration, index, allow }: ParsedStatement,
  findings: readonly LintFinding[],
): LintFinding[] {
  const found = new Set(findings.filter(({ statement }) => statement === index).map(({ rule }) => rule));
  const at = { migration: migration.name, statement: index };
  return Object.entries(allow).flatMap(([rule, reason]): LintFinding[] => {
    if (!found.has(rule))
      return isKnownRule(rule)
        ? [
            {
              ...at,
              rule: 'unused-exception',
              problem: `nothing here breaks ${rule}`,
              instead: `take '${rule}' out of allow`,
            },
          ]
        : [
            {
              ...at,
              rule: 'unknown-exception',
              problem: `there is no rule ${rule}`,
              instead: 'airlock db lint --rules lists them',
            },
          ];
    return reason.trim().length >= SHORTEST_REASON && /\S\s+\S+\s+\S/.test(reason)
      ? []
      : [
          {
            ...at,
            rule: 'short-reason',
            problem: `"${reason}" does not tell a reviewer why ${rule} may be broken`,
            instead: 'a sentence: what makes it safe here',
          },
        ];
  });
}

export function isKnownRule(rule: string): boolean {
  return listRules().includes(rule);
}

export function listRules(): string[] {
  return [...OUR_RULES, ...Object.keys(COVERED)].sort();
}
