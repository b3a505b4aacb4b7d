import { judgeType } from '../rules/type-rules.js';
import type { LintFinding } from '../rules/lint-rule.js';
import type { ParsedStatement } from '../syntax/statement.js';
import type { StatementTrace } from './statement-trace.js';

/** Types that the text does not show: of CREATE TABLE AS and LIKE, of a key in its own clause, of a DO block. */
export function judgeColumns(
  { migration, index }: ParsedStatement,
  { typed }: StatementTrace,
  found: readonly LintFinding[],
): LintFinding[] {
  const isFound = (rule: string, problem: string) =>
    found.some((other) => other.statement === index && other.rule === rule && other.problem === problem);
  return typed
    .filter(({ isChosen }) => isChosen)
    .flatMap((column) => judgeType({ ...column, where: column.name, definition: column.bare }))
    .filter(({ rule, problem }) => !isFound(rule, problem))
    .map((problem) => ({ migration: migration.name, statement: index, ...problem }));
}
