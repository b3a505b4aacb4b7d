import ts from 'typescript';
import { articleOf, type ResourceNames, type Spelling } from './resource-names.js';

export interface Renaming {
  readonly from: ResourceNames;
  readonly to: ResourceNames;
}

export interface Renamed {
  readonly text: string;
  /** New names that the source already uses for something else. */
  readonly clashes: readonly string[];
}

/** The place of a name decides its spelling. Names of several words are spelled differently in each. */
type Place = 'code' | 'path' | 'sql' | 'prose';

/** Renames a resource in a TypeScript source, in every spelling. */
export function renameIn(source: string, renaming: Renaming): Renamed {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true);
  const foreign = listForeign(file, renaming);
  const [kept, made] = [new Set<string>(), new Set<string>()];
  const parts: string[] = [];
  let end = 0;
  for (const leaf of listLeaves(file)) {
    const text = leaf.getText(file);
    // Between names and strings there are only comments and punctuation.
    parts.push(renameText(source.slice(end, leaf.getStart(file)), 'prose', renaming));
    const isName = ts.isIdentifier(leaf) || ts.isPrivateIdentifier(leaf);
    const renamed = isName && foreign.has(text) ? text : renameText(text, placeOf(leaf, file), renaming);
    if (isName && renamed !== text) made.add(renamed);
    else if (isName && !isMember(leaf)) kept.add(text);
    parts.push(renamed);
    end = leaf.end;
  }
  parts.push(renameText(source.slice(end), 'prose', renaming));
  return { text: parts.join(''), clashes: [...made].filter((name) => kept.has(name)) };
}

function listLeaves(node: ts.Node): ts.Node[] {
  if (
    ts.isIdentifier(node) ||
    ts.isPrivateIdentifier(node) ||
    ts.isStringLiteral(node) ||
    ts.isTemplateLiteralToken(node)
  )
    return [node];
  const leaves: ts.Node[] = [];
  ts.forEachChild(node, (child) => void leaves.push(...listLeaves(child)));
  return leaves;
}

/** Names that are imported from other folders, such as TypeORM's `Entity`. They are not renamed. */
function listForeign(file: ts.SourceFile, renaming: Renaming): ReadonlySet<string> {
  const imports = file.statements.filter(ts.isImportDeclaration);
  const isOurs = (specifier: string) =>
    specifier.startsWith('./') || renameText(specifier, 'path', renaming) !== specifier;
  return new Set(
    imports
      .filter(({ moduleSpecifier }) => !isOurs((moduleSpecifier as ts.StringLiteral).text))
      .flatMap(({ importClause }) => {
        const bindings = importClause?.namedBindings;
        return bindings && ts.isNamedImports(bindings) ? bindings.elements.map(({ name }) => name.text) : [];
      }),
  );
}

/** A property does not clash with other names of the file. */
function isMember(leaf: ts.Identifier | ts.PrivateIdentifier): boolean {
  const { parent } = leaf;
  const isNamed = ts.isPropertyAccessExpression(parent) || ts.isPropertyAssignment(parent) || ts.isTypeElement(parent);
  return (isNamed || ts.isClassElement(parent)) && parent.name === leaf;
}

function placeOf(leaf: ts.Node, file: ts.SourceFile): Place {
  if (ts.isIdentifier(leaf) || ts.isPrivateIdentifier(leaf)) return 'code';
  const whole = (
    ts.isStringLiteral(leaf) || ts.isNoSubstitutionTemplateLiteral(leaf) ? leaf : templateOf(leaf)
  ).getText(file);
  const isRoute = ts.isCallExpression(leaf.parent) && leaf.parent.expression.getText(file) === 'Controller';
  if (isRoute || /^['"`](\.{0,2}\/)/.test(whole)) return 'path';
  const isProse = /\s/.test(whole) && !/\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|FROM)\b|_id\b/.test(whole);
  return isProse && ts.isStringLiteral(leaf) ? 'prose' : 'sql';
}

function templateOf(leaf: ts.Node): ts.Node {
  return ts.isTemplateSpan(leaf.parent) ? leaf.parent.parent : leaf.parent;
}

function renameText(text: string, place: Place, { from, to }: Renaming): string {
  return text.replace(patternOf(from), (found: string, article: string | undefined, ...rest: (string | number)[]) => {
    const name = found.slice(article?.length ?? 0);
    const at = (rest.find((value) => typeof value === 'number') ?? 0) + (article?.length ?? 0);
    const around = { before: text.charAt(at - 1), after: text.slice(at + name.length, at + name.length + 2) };
    // In `./entity.entity.js` the second `entity` is a role, like `controller`.
    if (place === 'path' && around.before === '.') return found;
    const isPlural = Object.values(from.plural).includes(name);
    const spelling = isPlural ? to.plural : to.singular;
    const renamed = spelling[styleOf(name, isPlural ? from.plural : from.singular, { place, ...around })];
    if (article === undefined) return renamed;
    return `${article.startsWith('A') ? capitalA(articleOf(spelling)) : articleOf(spelling)} ${renamed}`;
  });
}

function patternOf({ plural, singular }: ResourceNames): RegExp {
  const of = (...styles: (keyof Spelling)[]) =>
    styles
      .flatMap((style) => [plural[style], singular[style]])
      .sort(byLength)
      .join('|');
  const lower = `(?<![A-Za-z0-9])(?:${of('words', 'snake', 'kebab', 'camel')})(?![a-z0-9])`;
  const upper = `(?<![A-Z])(?:${of('pascal', 'sentence')})(?![a-z0-9])`;
  const constant = `(?<![A-Za-z])(?:${of('constant')})(?![A-Za-z])`;
  return new RegExp(`(\\b[Aa]n? )?(?:${lower}|${upper}|${constant})`, 'g');
}

const byLength = (one: string, other: string) => other.length - one.length;
const capitalA = (article: string) => article.replace('a', 'A');

interface Surroundings {
  readonly place: Place;
  readonly before: string;
  readonly after: string;
}

function styleOf(name: string, spelling: Spelling, { place, before, after }: Surroundings): keyof Spelling {
  if (name === spelling.constant) return 'constant';
  if (name === spelling.pascal || name === spelling.sentence) {
    const isGlued = /[A-Za-z]/.test(before) || /^[A-Z'"`<}(]/.test(after);
    return name === spelling.pascal && (place === 'code' || place === 'path' || isGlued) ? 'pascal' : 'sentence';
  }
  for (const style of ['snake', 'kebab', 'words', 'camel'] as const)
    if (name === spelling[style] && /[-_ A-Z]/.test(name)) return style;
  if (before === '_' || after.startsWith('_')) return 'snake';
  if (/^[A-Z]/.test(after) || place === 'code') return 'camel';
  if (place === 'path' || before === '/') return 'kebab';
  return place === 'sql' || before === '.' || before === '`' ? 'snake' : 'words';
}
