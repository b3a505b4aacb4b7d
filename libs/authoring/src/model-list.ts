import { AuthoringRefusal } from './refusal.js';
import { isReservedInTypeScript } from './resource-names.js';

const LINE_WIDTH = 120;
const KEBAB = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const LONGEST_NAME = 60;

/** @throws AuthoringRefusal */
export function assertListName(name: string, what: string): void {
  if (KEBAB.test(name) && name.length <= LONGEST_NAME) return;
  throw new AuthoringRefusal(
    `${JSON.stringify(name)}: is not a valid ${what} name; expected kebab-case of at most ${LONGEST_NAME} characters, such as add-nickname`,
  );
}

export interface ListedVariable {
  readonly name: string;
  readonly variable: string;
  /** The text of the list. */
  readonly index: string;
  readonly what: string;
}

/** @throws AuthoringRefusal */
export function assertVariable({ name, variable, index, what }: ListedVariable, defining: string): void {
  if (isReservedInTypeScript(variable) || variable === defining)
    throw new AuthoringRefusal(
      `${name}: its variable ${variable} is a reserved word; expected another name, such as ${name}-2`,
    );
  if (new RegExp(`\\b${variable}\\b`).test(index))
    throw new AuthoringRefusal(
      `${name}: a ${what} ${variable} already exists; expected another name, such as ${name}-2`,
    );
}

/** Adds a file of the folder, and the constant that it exports, to the list that `index.ts` exports. */
export function addToList(index: string, file: string, variable: string): string {
  const imports = index.lastIndexOf("';\n", index.indexOf('export const ')) + 3;
  const list = index.slice(index.indexOf('= [', imports) + 3, index.lastIndexOf(']'));
  const names = [...list.split(',').map((name) => name.trim()), variable].filter(Boolean);
  const head = index.slice(imports, index.indexOf('= [', imports));
  return `${index.slice(0, imports)}import { ${variable} } from './${file}.js';\n${head}${formatList(head, names)}\n`;
}

/** Formats the list like Prettier: on one line if it fits. */
function formatList(head: string, names: readonly string[]): string {
  const line = `= [${names.join(', ')}];`;
  const start = head.slice(head.lastIndexOf('\n') + 1);
  return start.length + line.length <= LINE_WIDTH ? line : `= [\n${names.map((name) => `  ${name},\n`).join('')}];`;
}

export function toCamelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
