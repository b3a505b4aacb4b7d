import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import { controllers } from '../controllers.js';
import { problems, type ProblemCode } from '../http/problems.js';
import { readPackageVersion } from '../version.js';
import { createOpenApi } from '../openapi/create-openapi.js';
import { renderProblemIndex, renderProblemPage } from './problem-page.js';
import { renderRefusalPage } from './refusal-page.js';

export const DOCUMENT_ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
export const OPENAPI_FILE = 'apps/api/openapi.json';
export const ERROR_FOLDER = 'docs/errors';

/** Each generated document by its path in the workspace. */
export async function createDocuments(): Promise<ReadonlyMap<string, string>> {
  const codes = Object.keys(problems) as ProblemCode[];
  const openApi = createOpenApi({ prefix: '/api/v1', version: readPackageVersion(), controllers });
  return new Map([
    [OPENAPI_FILE, await formatJson(openApi)],
    [`${ERROR_FOLDER}/README.md`, renderProblemIndex()],
    ['docs/runbooks/refused-tokens.md', renderRefusalPage()],
    ...codes.map((code): [string, string] => [`${ERROR_FOLDER}/${code}.md`, renderProblemPage(code)]),
  ]);
}

/** As the formatter would: a committed file is formatted. */
async function formatJson(value: object): Promise<string> {
  const { format } = await import('prettier');
  return format(JSON.stringify(value), { parser: 'json', printWidth: 120 });
}
