import ts from 'typescript';
import { AuthoringRefusal } from './refusal.js';
import { type Renaming, renameIn } from './rename.js';
import { insert, listIdentifiers } from './syntax.js';

/**
 * Adds the new resource wherever the source lists the other one: next to each import from its folder, each imported
 * name in an array, and each re-exported name.
 * @param isOf whether an import belongs to the other resource
 * @returns undefined if the source imports nothing of the other resource
 */
export function register(
  { path, source }: { path: string; source: string },
  isOf: (specifier: string) => boolean,
  renaming: Renaming,
): string | undefined {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  const imports = file.statements.filter(
    (statement): statement is ts.ImportDeclaration =>
      ts.isImportDeclaration(statement) && isOf((statement.moduleSpecifier as ts.StringLiteral).text),
  );
  if (imports.length === 0) return undefined;
  const names = imports.flatMap(listNames);
  const listed = listIdentifiers(file).filter((node) => names.includes(node.text) && isInList(node));
  if (!listed.some(({ parent }) => ts.isArrayLiteralExpression(parent)))
    throw new AuthoringRefusal(
      `${path}: imports ${names.join(', ')}, but no array contains it; expected an array to add the new resource to`,
    );
  const taken = listIdentifiers(file).map(({ text }) => text);
  const clash = names.map((name) => rename(name, renaming)).find((name) => taken.includes(name));
  if (clash) throw new AuthoringRefusal(`${path}: already has a ${clash}; expected another name`);
  return insert(source, [
    ...imports.map((node) => ({ at: node.end, text: `\n${rename(node.getText(file), renaming)}` })),
    ...listed.map((node) => ({ at: node.end, text: `, ${rename(node.text, renaming)}` })),
  ]);
}

function listNames({ importClause }: ts.ImportDeclaration): string[] {
  const bindings = importClause?.namedBindings;
  return bindings && ts.isNamedImports(bindings) ? bindings.elements.map(({ name }) => name.text) : [];
}

function isInList({ parent }: ts.Node): boolean {
  return ts.isArrayLiteralExpression(parent) || ts.isExportSpecifier(parent);
}

function rename(text: string, renaming: Renaming): string {
  return renameIn(text, renaming).text;
}
