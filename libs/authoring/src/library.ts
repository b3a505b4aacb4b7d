import { existsSync, globSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { formatAll } from './format.js';
import { assertKebab, type Spelling, spell } from './resource-names.js';
import { AuthoringRefusal } from './refusal.js';
import { insert, listIdentifiers } from './syntax.js';
import { WORKSPACE_ROOT } from './workspace-root.js';
import { assertFree, type FileChange, readWorkspaceFile, writeAll } from './write-all.js';

const LINT = 'eslint.config.mjs';
const LOCKFILE = 'package-lock.json';
const SCOPE = '@airlock';

export interface CreatedLibrary {
  readonly created: readonly string[];
  readonly changed: readonly string[];
}

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
}): Promise<CreatedLibrary> {
  assertKebab(name, 'library', 'mailer');
  const folder = `libs/${name}`;
  assertFree(root, name, [folder]);
  if (name === 'index')
    throw new AuthoringRefusal(`"index": is the name of the entry point of a library; expected another name`);
  const projects = globSync('{apps,libs}/*/package.json', { cwd: root }).concat(
    'checks/package.json',
    'docker/package.json',
  );
  const taken = projects.find(
    (path) => existsSync(join(root, path)) && projectName(readWorkspaceFile(root, path)) === name,
  );
  if (taken) throw new AuthoringRefusal(`"${name}": is the name of the project in ${taken}; expected another name`);
  const files = await formatAll(root, [...draftFiles(folder, spell(name)), addLayer(root, name)]);
  const rollBack = writeAll(root, [...files, lock(root, folder, name)]);
  try {
    link(root, name);
  } catch (error) {
    rollBack();
    throw error;
  }
  return { created: files.slice(0, -1).map(({ path }) => path), changed: [LINT, LOCKFILE] };
}

function projectName(manifest: string): string | undefined {
  return (JSON.parse(manifest) as { nx?: { name?: string } }).nx?.name;
}

function draftFiles(folder: string, { kebab, pascal }: Spelling): FileChange[] {
  const manifest = {
    ...describePackage(kebab),
    private: true,
    type: 'module',
    sideEffects: false,
    exports: { '.': { [`${SCOPE}/source`]: './src/index.ts', default: './dist/index.js' } },
    nx: { name: kebab, tags: [`layer:${kebab}`], targets: { build: {}, types: {}, test: {} } },
    dependencies: DEPENDENCIES,
  };
  const call = `describe${pascal}`;
  const texts = {
    'package.json': JSON.stringify(manifest, null, 2),
    'tsconfig.json': `{ "extends": "../../tsconfig.base.json", "include": ["src"] }`,
    'jest.config.mjs': `import preset from '../../tools/jest.preset.mjs';\n\nexport default { ...preset, displayName: '${kebab}' };`,
    'README.md': `# ${SCOPE}/${kebab}\n\nWhat it is, in one sentence.\n\n\`\`\`ts\nimport { ${call} } from '${SCOPE}/${kebab}';\n\`\`\`\n\n**Never**: what it must not do.\n`,
    'src/index.ts': `export { ${call} } from './${kebab}.js';`,
    [`src/${kebab}.ts`]: `/** Replace this with the first function of the library. */\nexport function ${call}(): string {\n  return '${kebab}';\n}`,
    [`src/${kebab}.spec.ts`]:
      `import { describe, expect, it } from '@jest/globals';\nimport { ${call} } from './${kebab}.js';\n\n` +
      `describe('${call}', () => {\n  it('returns the name of the library', () => {\n    expect(${call}()).toBe('${kebab}');\n  });\n});`,
  };
  return Object.entries(texts).map(([path, text]) => ({ path: `${folder}/${path}`, text }));
}

const VERSION = '0.1.0';
const DEPENDENCIES = { [`${SCOPE}/config`]: VERSION };

function describePackage(name: string) {
  return { name: `${SCOPE}/${name}`, version: VERSION };
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

function findStrings(node: ts.Node): ts.ArrayLiteralExpression | undefined {
  if (ts.isArrayLiteralExpression(node)) return node;
  return ts.forEachChild(node, findStrings);
}

/** Adds the library to the lockfile like npm. A workspace package requires no registry. */
function lock(root: string, folder: string, name: string): FileChange {
  const before = readWorkspaceFile(root, LOCKFILE);
  const content = JSON.parse(before) as { packages: Record<string, object> };
  const packages = {
    ...content.packages,
    [folder]: { ...describePackage(name), dependencies: DEPENDENCIES },
    [`node_modules/${SCOPE}/${name}`]: { resolved: folder, link: true },
  };
  const sorted = Object.fromEntries(Object.entries(packages).sort(([one], [other]) => one.localeCompare(other, 'en')));
  return { path: LOCKFILE, before, text: `${JSON.stringify({ ...content, packages: sorted }, null, 2)}\n` };
}

/** Links the library like `npm install`, so that it can be imported at once. */
function link(root: string, name: string): void {
  const packages = join(root, 'node_modules', SCOPE);
  if (existsSync(packages) && !existsSync(join(packages, name)))
    symlinkSync(`../../libs/${name}`, join(packages, name));
}
