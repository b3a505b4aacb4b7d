import { globSync } from 'node:fs';
import ts from 'typescript';
import { formatAll } from './format.js';
import { spell } from './names.js';
import { AuthoringRefusal } from './refusal.js';
import { insert } from './registration.js';
import { findProperty } from './table.js';
import { type FileChange, readSource, writeAll } from './write-all.js';

const SCHEMA = 'libs/config/src/variables/schema.ts';
const CONFIG = 'libs/config/src/load/create-config.ts';
/** Files that give a process its variables. Examples and documents are generated. */
const MANIFESTS = '{compose*.yml,docker/*.yml,docker/deploy/**/*.{ts,toml,yaml,yml}}';
const NAME = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;
const LONGEST_NAME = 60;
/** They mean something to the shell, to Node, npm and Nx, or to PostgreSQL's own client. */
const FOREIGN = /^(PATH|HOME|USER|SHELL|PWD|TERM|TZ|LANG|CI|(NODE|NPM|NX|LC)_.*|PG[A-Z]+)$/;

export interface NewVariable {
  readonly root: string;
  /** `SMTP_URL` */
  readonly name: string;
  /** The heading that it stands under; the one of the variables with the same first word unless given. */
  readonly group?: string | undefined;
  readonly description?: string | undefined;
  readonly isSecret?: boolean | undefined;
  /** Writes what is generated from the schema; when it fails, the sources are as they were. */
  readonly generate: () => void;
}

export interface CreatedVariable {
  readonly changed: readonly string[];
  readonly group: string;
  /** Where it is in the config: `service.smtpUrl`. */
  readonly property: string;
  /** A variable of the same kind, and the files that hand it on to a process. */
  readonly example: string;
  readonly places: readonly string[];
}

/** Adds an optional variable to the schema and to the config. @throws AuthoringRefusal */
export async function createVariable({ root, generate, ...variable }: NewVariable): Promise<CreatedVariable> {
  const { name, isSecret = false } = variable;
  assertName(name);
  const schema = readSource(root, SCHEMA);
  const entries = listEntries(schema);
  if (entries.some((entry) => entry.name === name))
    throw new AuthoringRefusal(`${name}: is in ${SCHEMA} already; expected another name`);
  const group = variable.group ?? guessGroup(name, entries);
  const config = addToConfig(readSource(root, CONFIG), {
    name,
    siblings: entries.filter((entry) => entry.group === group),
    group,
  });
  const changes = [
    { path: SCHEMA, before: schema, text: addToSchema(schema, entries, { ...variable, group }) },
    { path: CONFIG, before: readSource(root, CONFIG), text: config.text },
  ];
  const takeBack = writeAll(root, await formatAll(root, changes));
  try {
    generate();
  } catch (error) {
    takeBack();
    throw error;
  }
  const { example, places } = findPlaces(
    root,
    entries.filter((entry) => entry.isSecret === isSecret).map((entry) => entry.name),
  );
  return { changed: changes.map(({ path }) => path), group, property: config.property, example, places };
}

function assertName(name: string): void {
  if (!NAME.test(name) || name.length > LONGEST_NAME)
    throw new AuthoringRefusal(
      `${JSON.stringify(name)}: is not a name for a variable; expected capitals, digits and underscores, such as SMTP_URL`,
    );
  if (name.endsWith('_FILE'))
    throw new AuthoringRefusal(
      `${name}: ends in _FILE, which gives the value of another variable as a file; expected another name`,
    );
  if (FOREIGN.test(name))
    throw new AuthoringRefusal(`${name}: means something to other programs; expected another name`);
}

interface Entry {
  readonly name: string;
  readonly group: string;
  readonly isSecret: boolean;
  readonly end: number;
}

/** The properties of `schema = z.object({…})`. */
function listEntries(source: string): Entry[] {
  const file = ts.createSourceFile(SCHEMA, source, ts.ScriptTarget.Latest, true);
  const properties = findProperty(file, 'ENVIRONMENT')?.parent.properties ?? [];
  return properties.map((property) => {
    const text = property.getText(file);
    const [, group = ''] = /group: '([^']+)'/.exec(text) ?? [];
    return {
      name: property.name?.getText(file) ?? '',
      group,
      isSecret: /\bsecret: true\b/.test(text),
      end: property.end,
    };
  });
}

function guessGroup(name: string, entries: readonly Entry[]): string {
  const [word = ''] = name.split('_');
  return entries.find((entry) => entry.name.startsWith(`${word}_`))?.group ?? 'Service';
}

function addToSchema(
  source: string,
  entries: readonly Entry[],
  { name, group, description = 'To be described.', isSecret }: Omit<NewVariable, 'root' | 'generate'>,
): string {
  const last = entries.findLast((entry) => entry.group === group) ?? entries.at(-1);
  const details = [
    `group: ${quote(group ?? '')}`,
    `description: ${quote(description)}`,
    ...(isSecret ? [`example: 'changethis'`, 'secret: true'] : []),
  ];
  const text = `,\n  ${name}: ${isSecret ? 'secret' : 'text'}().optional().register(variables, {\n${details.join(',\n')} })`;
  return insert(source, [{ at: last?.end ?? 0, text }]);
}

/** In the object that holds the other variables of its group, or in a new one. */
function addToConfig(
  source: string,
  { name, siblings, group }: { name: string; siblings: readonly Entry[]; group: string },
) {
  const file = ts.createSourceFile(CONFIG, source, ts.ScriptTarget.Latest, true);
  const property = spell(name.toLowerCase().replaceAll('_', '-')).camel;
  const sections = findProperty(file, 'environment')?.parent.properties ?? [];
  const section = sections.findLast(
    (one): one is ts.PropertyAssignment =>
      ts.isPropertyAssignment(one) &&
      ts.isObjectLiteralExpression(one.initializer) &&
      siblings.some((sibling) => new RegExp(`\\bv\\.${sibling.name}\\b`).test(one.getText(file))),
  );
  const value = `${property}: v.${name}`;
  if (section && ts.isObjectLiteralExpression(section.initializer))
    return {
      property: `${section.name.getText(file)}.${property}`,
      text: insert(source, [{ at: section.initializer.properties.at(-1)?.end ?? 0, text: `, ${value}` }]),
    };
  const heading = spell(
    group
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .join('-'),
  ).camel;
  return {
    property: `${heading}.${property}`,
    text: insert(source, [{ at: sections.at(-1)?.end ?? 0, text: `, ${heading}: { ${value} }` }]),
  };
}

/** The variable of the same kind that most manifests hand on stands for what a new one needs. */
function findPlaces(root: string, names: readonly string[]): Pick<CreatedVariable, 'example' | 'places'> {
  const manifests = globSync(MANIFESTS, { cwd: root })
    .sort()
    .map((path) => ({ path, text: readSource(root, path) }));
  const found = names.map((example) => ({
    example,
    places: manifests.filter(({ text }) => new RegExp(`\\b${example}\\b`).test(text)).map(({ path }) => path),
  }));
  return found.sort((one, other) => other.places.length - one.places.length)[0] ?? { example: '', places: [] };
}

function quote(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
