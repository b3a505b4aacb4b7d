import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { formatAll } from './format.js';
import { AuthoringRefusal } from './refusal.js';
import { addToConfig, CONFIG } from './variable-config.js';
import { addToSchema, listEntries, SCHEMA, type SchemaEntry } from './variable-schema.js';
import { WORKSPACE_ROOT } from './workspace-root.js';
import { readWorkspaceFile, writeAll } from './write-all.js';

/** Files that pass variables to a process. Examples and documents are generated instead. */
const MANIFESTS = ['compose*.yml', 'docker/*.yml', 'docker/deploy/*/*.{toml,yaml,yml}', 'docker/deploy/*/.*/*.ts'];
const PROGRAMS = 'libs/config/src/programs/programs.ts';
const NAME = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;
const GROUP = /^[A-Z][A-Za-z0-9 ]{0,39}$/;
/** The rule that the specs of the schema check for each description. */
const DESCRIPTION = /^[A-Za-z].{10,110}\.$/;
const LONGEST_NAME = 60;
/** Variables of the shell, of Node, npm and Nx, or of PostgreSQL's client. */
const FOREIGN = /^(PATH|HOME|USER|SHELL|PWD|TERM|TZ|LANG|CI|(NODE|NPM|NX|LC)_.*|PG[A-Z]+)$/;

export interface NewVariable {
  readonly root?: string;
  /** `LABELS_URL` */
  readonly name: string;
  /** The heading of the variable. Default: the group of the variables with the same first word. */
  readonly group?: string | undefined;
  readonly description?: string | undefined;
  readonly isSecret?: boolean | undefined;
  /** Deployed environments require it. Default: it is optional. */
  readonly isRequired?: boolean | undefined;
  /** The value in examples. A required variable that is not secret has it in development and testing too. */
  readonly example?: string | undefined;
  /** Default: the API alone. */
  readonly programs?: readonly string[] | undefined;
}

export interface CreatedVariable {
  readonly changed: readonly string[];
  readonly group: string;
  /** The path of the value in the config: `service.smtpUrl`. */
  readonly property: string;
  /** The files that pass variables of the same kind, secret or not, to a process. */
  readonly places: readonly string[];
}

/** Adds a variable to the schema, the config and the generated files. @throws AuthoringRefusal */
export async function createVariable({ root = WORKSPACE_ROOT, ...variable }: NewVariable): Promise<CreatedVariable> {
  const { name, description = 'To be described.', isSecret = false, isRequired = false, example, programs } = variable;
  assertName(name);
  assertPrograms(root, programs ?? []);
  if (isSecret && example !== undefined)
    throw new AuthoringRefusal('--example: a secret has none; expected --example without --secret');
  if (isRequired && !isSecret && example === undefined)
    throw new AuthoringRefusal('--required: expected also --example VALUE, which development and testing use');
  const [schema, config] = [readWorkspaceFile(root, SCHEMA), readWorkspaceFile(root, CONFIG)];
  const entries = listEntries(schema);
  if (entries.some((entry) => entry.name === name))
    throw new AuthoringRefusal(`${name}: is already in ${SCHEMA}; expected another name`);
  const group = variable.group ?? guessGroup(name, entries);
  assertWords(group, description);
  const siblings = entries.filter((entry) => entry.group === group).map((entry) => entry.name);
  const { property, text } = addToConfig(config, { name, group, siblings });
  const draft = { name, group, description, isSecret, isRequired, example, programs };
  const changes = [
    { path: SCHEMA, before: schema, text: addToSchema(schema, entries, draft) },
    { path: CONFIG, before: config, text },
  ];
  const rollBack = writeAll(root, await formatAll(root, changes));
  try {
    generate(root);
  } catch (error) {
    rollBack();
    throw error;
  }
  const alike = entries.filter((entry) => entry.isSecret === isSecret).map((entry) => entry.name);
  return { changed: changes.map(({ path }) => path), group, property, places: findPlaces(root, alike) };
}

function assertName(name: string): void {
  const problem = findNameProblem(name);
  if (problem) throw new AuthoringRefusal(`${JSON.stringify(name)}: ${problem}; expected a name such as LABELS_URL`);
}

function findNameProblem(name: string): string | undefined {
  if (!NAME.test(name)) return 'has characters other than capitals, digits and single underscores';
  if (name.length > LONGEST_NAME) return `is longer than ${LONGEST_NAME} characters`;
  if (name.endsWith('_FILE')) return 'ends in _FILE, which sets another variable from a file';
  return FOREIGN.test(name) ? 'is a variable of another program' : undefined;
}

function assertWords(group: string, description: string): void {
  if (!GROUP.test(group))
    throw new AuthoringRefusal(`--group "${group}": is not a valid heading; expected one such as Service`);
  if (!DESCRIPTION.test(description))
    throw new AuthoringRefusal(
      `--description "${description}": is not a valid description; expected a sentence of 12 to 112 characters that ends with a dot`,
    );
}

function assertPrograms(root: string, programs: readonly string[]): void {
  if (programs.length === 0) return;
  const known = [...readWorkspaceFile(root, PROGRAMS).matchAll(/^ {2}(\w+): \{$/gm)].map(([, name = '']) => name);
  const unknown = programs.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new AuthoringRefusal(`--programs: "${unknown.join(', ')}" is not a program; expected ${known.join(', ')}`);
}

function guessGroup(name: string, entries: readonly SchemaEntry[]): string {
  const [word = ''] = name.split('_');
  return entries.find((entry) => entry.name.startsWith(`${word}_`))?.group ?? 'Service';
}

/** Runs in new processes, because this one may have loaded the old schema. */
function generate(root: string): void {
  const command = join(root, 'apps/cli/bin/airlock.js');
  for (const kind of ['docs', 'example'])
    execFileSync(process.execPath, [command, 'config', kind, '--write'], { cwd: root, stdio: 'pipe' });
}

/** @param names the variables of the same kind */
function findPlaces(root: string, names: readonly string[]): string[] {
  const isHandedOn = new RegExp(`\\b(${names.join('|')})(_FILE)?\\b`);
  return globSync(MANIFESTS, { cwd: root })
    .filter((path) => isHandedOn.test(readWorkspaceFile(root, path)))
    .sort();
}
