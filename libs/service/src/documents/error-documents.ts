import { problems, type ProblemCode } from '../problems/problem-codes.js';
import { renderProblemIndex, renderProblemPage } from './problem-page.js';
import { renderRefusalPage } from './refusal-page.js';

export const ERROR_FOLDER = 'docs/errors';

/** The pages about problems and refused tokens, by their paths in the workspace. */
export function createErrorDocuments(): ReadonlyMap<string, string> {
  const codes = Object.keys(problems) as ProblemCode[];
  return new Map([
    [`${ERROR_FOLDER}/README.md`, renderProblemIndex()],
    ['docs/runbooks/refused-tokens.md', renderRefusalPage()],
    ...codes.map((code): [string, string] => [`${ERROR_FOLDER}/${code}.md`, renderProblemPage(code)]),
  ]);
}
