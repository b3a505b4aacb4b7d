import ts from 'typescript';
import { formatAll } from './format.js';
import { AuthoringRefusal } from './refusal.js';
import { isReservedInTypeScript, type Spelling, spell } from './resource-names.js';
import { insert, listIdentifiers } from './syntax.js';
import { WORKSPACE_ROOT } from './workspace-root.js';
import { assertFree, type FileChange, readWorkspaceFile, writeAll } from './write-all.js';

const FOLDER = 'libs/jobs/src';
const INDEX = `${FOLDER}/index.ts`;
/** As the service accepts it, which a name of a queue must be. */
const NAME = /^[a-z][a-z0-9]*([.-][a-z0-9]+)*$/;
const LONGEST_NAME = 60;

export interface CreatedJob {
  readonly created: readonly string[];
  readonly changed: readonly string[];
}

/**
 * Creates a job with its spec, and adds it to the list of all jobs.
 * @throws AuthoringRefusal
 */
export async function createJob({ root = WORKSPACE_ROOT, name }: { root?: string; name: string }): Promise<CreatedJob> {
  if (!NAME.test(name) || name.length > LONGEST_NAME)
    throw new AuthoringRefusal(
      `${JSON.stringify(name)}: is not a valid job name; expected words of at most ${LONGEST_NAME} characters, such as orders.remind`,
    );
  const spelling = spell(name.replaceAll('.', '-'));
  const [source, spec] = [`${FOLDER}/${spelling.kebab}.ts`, `${FOLDER}/${spelling.kebab}.spec.ts`];
  assertFree(root, name, [source, spec]);
  const files = await formatAll(root, [
    { path: source, text: draftJob(name, spelling) },
    { path: spec, text: draftSpec(name, spelling) },
    addToIndex(root, name, spelling),
  ]);
  writeAll(root, files);
  return { created: [source, spec], changed: [INDEX] };
}

function draftJob(name: string, { camel }: Spelling): string {
  return `import { job } from '@airlock/service/jobs';
import { z } from 'zod';

/** Say here what the job does. */
export const ${camel} = job({
  name: '${name}',
  data: z.strictObject({ ownerId: z.string().min(1).max(255) }),
  run: ({ data: { ownerId }, database, finish }) =>
    database.asUser(ownerId, async (tx) => {
      // Rows that are changed here with tx are committed with the end of the job, exactly once.
      await finish(tx);
    }),
});
`;
}

function draftSpec(name: string, { camel, kebab }: Spelling): string {
  return `import { model } from '@airlock/model';
import { describeProduct } from '@airlock/service/product';
import { useTestJobs } from '@airlock/service/testing';
import { describe, expect, it } from '@jest/globals';
import { jobModules, jobs } from './index.js';
import { ${camel} } from './${kebab}.js';

describe('${name}', () => {
  const world = useTestJobs(describeProduct(model, jobs, jobModules));

  it('runs once when it is sent', async () => {
    const data = { ownerId: 'user_1' };
    await world.database.asUser('user_1', (tx) => world.sender.send(tx, ${camel}, data));
    expect(await world.run()).toEqual([{ name: '${name}', outcome: 'done' }]);
    expect(await world.run()).toEqual([]);
  });
});
`;
}

/** Adds the import, the export and the entry of the list. */
function addToIndex(root: string, name: string, { camel, kebab }: Spelling): FileChange {
  const before = readWorkspaceFile(root, INDEX);
  const file = ts.createSourceFile(INDEX, before, ts.ScriptTarget.Latest, true);
  const identifiers = listIdentifiers(file);
  if (isReservedInTypeScript(camel) || identifiers.some(({ text }) => text === camel))
    throw new AuthoringRefusal(`"${name}": ${INDEX} cannot export another ${camel}; expected another name`);
  const list = identifiers.find(({ text, parent }) => text === 'jobs' && ts.isVariableDeclaration(parent))?.parent;
  const array = list && findArray(list);
  const exported = file.statements.find((one): one is ts.ExportDeclaration =>
    ts.isExportDeclaration(one),
  )?.exportClause;
  if (!array || !exported || !ts.isNamedExports(exported))
    throw new AuthoringRefusal(`${INDEX}: has no list \`jobs\` and no list of exports; expected both`);
  const lastImport = file.statements.findLast((one) => ts.isImportDeclaration(one))?.end;
  const line = `import { ${camel} } from './${kebab}.js';`;
  const text = insert(before, [
    lastImport === undefined ? { at: 0, text: `${line}\n` } : { at: lastImport, text: `\n${line}` },
    { at: exported.elements.end, text: `${exported.elements.length > 0 ? ', ' : ''}${camel}` },
    { at: array.elements.end, text: `${array.elements.length > 0 ? ', ' : ''}${camel}` },
  ]);
  return { path: INDEX, before, text };
}

function findArray(node: ts.Node): ts.ArrayLiteralExpression | undefined {
  if (ts.isArrayLiteralExpression(node)) return node;
  return ts.forEachChild(node, findArray);
}
