import { globSync } from 'node:fs';
import { join } from 'node:path';
import { formatAll } from './format.js';
import { parseResourceNames, type ResourceNames, spell } from './resource-names.js';
import { AuthoringRefusal } from './refusal.js';
import { register } from './registration.js';
import { type Renaming, renameIn } from './rename.js';
import { draftTable, MODEL } from './table.js';
import { WORKSPACE_ROOT } from './workspace-root.js';
import { assertFree, type FileChange, readWorkspaceFile, writeAll } from './write-all.js';

const RESOURCES = 'apps/api/src';
const API_DOCUMENT = 'apps/api/openapi.json';

export interface NewResource {
  /** The root of the workspace. Default: this workspace. */
  readonly root?: string;
  /** Its plural in kebab case: `customer-invoices`. */
  readonly name: string;
  /** Required if it cannot be derived from the plural. */
  readonly singular?: string | undefined;
  /** The folder of the resource that is copied. */
  readonly from: string;
}

export interface CreatedResource {
  readonly created: readonly string[];
  readonly changed: readonly string[];
  /** Later migrations of the copied table. Their changes are not in the new table. */
  readonly left: readonly string[];
}

/**
 * Copies a resource under another name: its folder in the API, its table, entity, column rules and sample rows in the model, and its
 * entries in the lists of both. Writes everything or nothing.
 * @throws AuthoringRefusal
 */
export async function createResource({ root = WORKSPACE_ROOT, ...resource }: NewResource): Promise<CreatedResource> {
  const { changes, left } = await draftResource({ ...resource, root });
  writeAll(root, changes);
  const of = (isNew: boolean) =>
    changes.filter(({ before }) => (before === undefined) === isNew).map(({ path }) => path);
  return { created: of(true), changed: of(false), left };
}

/** Returns the files that `createResource` writes. */
export async function draftResource({ root = WORKSPACE_ROOT, name, singular, from }: NewResource) {
  const to = parseResourceNames(name, singular);
  const renaming = { from: readNames(root, from), to };
  assertFree(root, name, listTargets(root, renaming));
  const folder = copyFolder(root, renaming);
  const table = draftTable(root, renaming);
  assertUndescribed(root, renaming);
  const drafts = [...folder, ...table.changes, ...registerInApi(root, renaming)];
  return { changes: await formatAll(root, drafts), left: table.left };
}

/** The file names give the plural and the singular: `entities.controller.ts` and `entity.schemas.ts`. */
function readNames(root: string, from: string): ResourceNames {
  const known = globSync(`${RESOURCES}/*/*.controller.ts`, { cwd: root }).map((path) => path.split('/').at(-2) ?? '');
  if (!known.includes(from))
    throw new AuthoringRefusal(
      `--from ${from}: is not a resource of ${RESOURCES}; expected one of: ${known.sort().join(', ')}`,
    );
  const words = new Set(listFiles(root, from).flatMap((file) => /^([a-z0-9-]+)\.[a-z-]+\.ts$/.exec(file)?.[1] ?? []));
  const [singular, ...others] = [...words].filter((word) => word !== from);
  if (singular === undefined || others.length > 0)
    throw new AuthoringRefusal(
      `--from ${from}: its files begin with ${[...words].join(', ')}; expected ${from} and its singular`,
    );
  return { plural: spell(from), singular: spell(singular) };
}

/** Specs and fixtures are not copied, because they test the rules of the other resource. */
function listFiles(root: string, from: string): string[] {
  return globSync('**/*.ts', { cwd: join(root, RESOURCES, from), exclude: ['**/*.{spec,fixture}.ts'] }).sort();
}

/** The files of a resource of this name, including files that a killed attempt may have left. */
function listTargets(root: string, { to: { plural, singular } }: Renaming): string[] {
  const migrations = globSync(`${MODEL}/migrations/*-create-${plural.kebab}.ts`, { cwd: root });
  const beside = ['entity', 'seeds'].map((role) => `${MODEL}/entities/${singular.kebab}.${role}.ts`);
  return [`${RESOURCES}/${plural.kebab}`, ...beside, ...migrations];
}

function copyFolder(root: string, renaming: Renaming): FileChange[] {
  const { from, to } = renaming;
  return listFiles(root, from.plural.kebab).map((file) => {
    const [word = '', ...role] = file.split('.');
    const renamed = { [from.plural.kebab]: to.plural.kebab, [from.singular.kebab]: to.singular.kebab }[word];
    const name = [renamed ?? word, ...role].join('.');
    const { text, clashes } = renameIn(readWorkspaceFile(root, `${RESOURCES}/${from.plural.kebab}/${file}`), renaming);
    if (clashes.length > 0)
      throw new AuthoringRefusal(
        `"${to.plural.kebab}": ${name} would use ${clashes.join(', ')} for two things; expected another name`,
      );
    return { path: `${RESOURCES}/${to.plural.kebab}/${name}`, text };
  });
}

/** Schema ids are global in the API document, so the new ids must be free. */
function assertUndescribed(root: string, { from, to }: Renaming): void {
  const { components } = JSON.parse(readWorkspaceFile(root, API_DOCUMENT)) as {
    components: { schemas: Record<string, unknown> };
  };
  const ids = Object.keys(components.schemas);
  const made = ids.map((id) => id.replace(from.singular.pascal, to.singular.pascal)).filter((id) => !ids.includes(id));
  const expected = ids.filter((id) => id.includes(from.singular.pascal)).length;
  if (made.length === expected) return;
  throw new AuthoringRefusal(
    `"${to.plural.kebab}": ${API_DOCUMENT} already has a schema ${to.singular.pascal}; expected another name`,
  );
}

function registerInApi(root: string, renaming: Renaming): FileChange[] {
  const isOf = (specifier: string) => specifier.startsWith(`./${renaming.from.plural.kebab}/`);
  const changes = globSync(`${RESOURCES}/*.ts`, { cwd: root, exclude: ['**/*.spec.ts'] }).flatMap((path) => {
    const before = readWorkspaceFile(root, path);
    const text = register({ path, source: before }, isOf, renaming);
    return text === undefined ? [] : [{ path, text, before }];
  });
  if (changes.length > 0) return changes;
  throw new AuthoringRefusal(
    `--from ${renaming.from.plural.kebab}: no file in ${RESOURCES} lists its module; expected one that does`,
  );
}
