import ts from 'typescript';

/** A position in a source, and the text to insert there. */
export interface Insertion {
  readonly at: number;
  readonly text: string;
}

export function insert(source: string, insertions: readonly Insertion[]): string {
  return [...insertions]
    .sort((one, other) => other.at - one.at)
    .reduce((text, { at, text: added }) => text.slice(0, at) + added + text.slice(at), source);
}

export function listIdentifiers(node: ts.Node): ts.Identifier[] {
  if (ts.isIdentifier(node)) return [node];
  const found: ts.Identifier[] = [];
  ts.forEachChild(node, (child) => void found.push(...listIdentifiers(child)));
  return found;
}

/** The first property with this name in any object. */
export function findProperty(node: ts.Node, name: string): ts.PropertyAssignment | undefined {
  if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name) && node.name.text === name) return node;
  return ts.forEachChild(node, (child) => findProperty(child, name));
}
