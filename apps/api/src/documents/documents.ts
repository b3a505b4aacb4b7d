import { fileURLToPath } from 'node:url';
import { problems, type ProblemCode } from '../http/problems.js';
import { renderProblemIndex, renderProblemPage } from './problem-page.js';

export const DOCUMENT_ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
export const ERROR_FOLDER = 'docs/errors';

/** Each generated document by its path in the workspace. */
export async function createDocuments(): Promise<ReadonlyMap<string, string>> {
  const codes = Object.keys(problems) as ProblemCode[];
  return Promise.resolve(
    new Map([
      [`${ERROR_FOLDER}/README.md`, renderProblemIndex()],
      ...codes.map((code): [string, string] => [`${ERROR_FOLDER}/${code}.md`, renderProblemPage(code)]),
    ]),
  );
}
