import type { LintFinding } from './rules/lint-rule.js';
import { CLASS_RULE } from './judge-classes.js';
import { lintRules } from './rules/index.js';
import { COVERED } from './squawk.js';
import type { ParsedStatement } from './syntax/statement.js';
import { RULES_WITHOUT_EXCEPTIONS, TRACE_RULES } from './trace/judge-traces.js';

/** Rules about files and exceptions, in addition to those about statements. */
const FORM_RULES = ['unreadable', 'misplaced-exception', 'unknown-exception', 'unused-exception', 'short-reason'];
const BACKFILL_RULES = ['unnamed-backfill', 'backfill-does-not-run'];
export const OUR_RULES = [...lintRules.map(({ name }) => name), ...TRACE_RULES, ...FORM_RULES];

const SHORTEST_REASON = 20;

/** Removes findings that a statement allows, and adds findings about the exceptions themselves. */
export function applyExceptions(
  statements: readonly ParsedStatement[],
  findings: readonly LintFinding[],
): LintFinding[] {
  const isAllowed = ({ statement, rule }: LintFinding) =>
    !RULES_WITHOUT_EXCEPTIONS.has(rule) && statements[statement ?? -1]?.allow[rule] !== undefined;
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
              instead: `remove '${rule}' from allow`,
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
            instead: 'a sentence that says why it is safe here',
          },
        ];
  });
}

export function isKnownRule(rule: string): boolean {
  return listRules().includes(rule);
}

export function listRules(): string[] {
  return [...OUR_RULES, ...Object.keys(COVERED), ...BACKFILL_RULES, CLASS_RULE].sort();
}
