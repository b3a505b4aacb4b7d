import ts from 'typescript';
import { formatAll } from './format.js';
import { spell } from './resource-names.js';
import { AuthoringRefusal } from './refusal.js';
import { insert, listIdentifiers } from './syntax.js';
import {
  assertProjectName,
  type CreatedProject,
  describePackage,
  type NewProject,
  SCOPE,
  writeProject,
} from './workspace-project.js';
import { WORKSPACE_ROOT } from './workspace-root.js';
import { type FileChange, readWorkspaceFile } from './write-all.js';

const LINT = 'eslint.config.mjs';
/** Mounts the sources of each library into the development container. */
const MOUNTS = 'compose.override.yml';

/**
 * Creates a library that applications may import, in its own layer. It may import `@airlock/config`.
 * @throws AuthoringRefusal
 */
export async function createLibrary({
  root = WORKSPACE_ROOT,
  name,
}: {
  root?: string;
  name: string;
}): Promise<CreatedProject> {
  const project: NewProject = { folder: 'libs', name, dependencies: ['config'], call: `describe${spell(name).pascal}` };
  assertProjectName(root, project, 'mailer');
  const files = await formatAll(root, [...draftFiles(project), addLayer(root, name), addMount(root, name)]);
  return writeProject(root, project, files);
}

function draftFiles(project: NewProject): FileChange[] {
  const { name, call } = project;
  const { dependencies, ...described } = describePackage(project);
  const manifest = {
    ...described,
    private: true,
    type: 'module',
    sideEffects: false,
    exports: { '.': { [`${SCOPE}/source`]: './src/index.ts', default: './dist/index.js' } },
    nx: { name, tags: [`layer:${name}`], targets: { build: {}, test: {} } },
    dependencies,
  };
  const texts = {
    'package.json': JSON.stringify(manifest, null, 2),
    'tsconfig.json': `{ "extends": "../../tsconfig.base.json", "include": ["src"] }`,
    'jest.config.mjs': `import preset from '../../tools/jest.preset.mjs';\n\nexport default { ...preset, displayName: '${name}' };`,
    'README.md': `# ${SCOPE}/${name}\n\nIts purpose, in one sentence.\n\n\`\`\`ts\nimport { ${call} } from '${SCOPE}/${name}';\n\`\`\`\n\n**Never**: what it must not do.\n`,
    'src/index.ts': `export { ${call} } from './${name}.js';`,
    [`src/${name}.ts`]: `/** Replace this with the first function of the library. */\nexport function ${call}(): string {\n  return '${name}';\n}`,
    [`src/${name}.spec.ts`]:
      `import { describe, expect, it } from '@jest/globals';\nimport { ${call} } from './${name}.js';\n\n` +
      `describe('${call}', () => {\n  it('returns the name of the library', () => {\n    expect(${call}()).toBe('${name}');\n  });\n});`,
  };
  return Object.entries(texts).map(([path, text]) => ({ path: `libs/${name}/${path}`, text }));
}

/** Adds a layer for the library above config, and allows the applications to import it. */
function addLayer(root: string, name: string): FileChange {
  const before = readWorkspaceFile(root, LINT);
  if (before.includes(`'layer:${name}'`))
    throw new AuthoringRefusal(`"${name}": ${LINT} already has a layer of this name; expected another name`);
  const file = ts.createSourceFile(LINT, before, ts.ScriptTarget.Latest, true);
  const layers = listIdentifiers(file).find(
    ({ text, parent }) => text === 'layers' && ts.isVariableDeclaration(parent),
  )?.parent;
  const table = layers && ts.isVariableDeclaration(layers) ? layers.initializer : undefined;
  const app = table && ts.isArrayLiteralExpression(table) ? table.elements[0] : undefined;
  const allowed = app && findStrings(app);
  if (!table || !app?.getText(file).includes(`'layer:app'`) || !allowed)
    throw new AuthoringRefusal(`${LINT}: has no list \`layers\` that begins with layer:app; expected one`);
  const isWhole = allowed.elements[0]?.getText(file).startsWith(`'layer:`);
  const text = insert(before, [
    { at: allowed.elements[0]?.getStart(file) ?? allowed.end, text: `'${isWhole ? 'layer:' : ''}${name}', ` },
    { at: app.end, text: `,\n  { sourceTag: 'layer:${name}', onlyDependOnLibsWithTags: ['layer:config'] }` },
  ]);
  return { path: LINT, before, text };
}

/** Keeps the mounts in the order of the names. */
function addMount(root: string, name: string): FileChange {
  const before = readWorkspaceFile(root, MOUNTS);
  const mounts = [...before.matchAll(/^( +- )\.\/libs\/([\w-]+)\/src:.*\n/gm)];
  const next = mounts.find(([, , library = '']) => library > name);
  const last = mounts.at(-1);
  if (!last) throw new AuthoringRefusal(`${MOUNTS}: mounts no library; expected a list of them`);
  const text = `${last[1]}./libs/${name}/src:/app/libs/${name}/src:ro\n`;
  const at = next ? next.index : last.index + last[0].length;
  return { path: MOUNTS, before, text: insert(before, [{ at, text }]) };
}

function findStrings(node: ts.Node): ts.ArrayLiteralExpression | undefined {
  if (ts.isArrayLiteralExpression(node)) return node;
  return ts.forEachChild(node, findStrings);
}
