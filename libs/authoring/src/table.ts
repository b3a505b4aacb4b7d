import { existsSync, globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { draftMigration } from './create-migration.js';
import { AuthoringRefusal } from './refusal.js';
import { register } from './registration.js';
import { type Renaming, renameIn } from './rename.js';
import { findProperty, insert } from './syntax.js';
import { type FileChange, readWorkspaceFile } from './write-all.js';

export const MODEL = 'libs/model/src';
const LIST = `${MODEL}/model.ts`;
const SCHEMA = `${MODEL}/schema.sql`;
const LONGEST_IDENTIFIER = 63;

export interface TableDraft {
  readonly changes: readonly FileChange[];
  /** Later migrations of the copied table. */
  readonly left: readonly string[];
}

/** The files of a resource in the model: a migration, an entity with the classes of its columns, and sample rows. */
export function draftTable(root: string, renaming: Renaming): TableDraft {
  const table = renaming.to.plural.snake;
  if (new RegExp(`\\bpublic\\.${table}\\b`).test(readWorkspaceFile(root, SCHEMA)))
    throw new AuthoringRefusal(
      `"${renaming.to.plural.kebab}": ${SCHEMA} already has a table ${table}; expected another name`,
    );
  const { changes, left } = draftStatements(root, renaming);
  const listed = draftCachedTables(root, renaming);
  const entity = draftBeside(root, { role: 'entity', list: 'index.ts', renaming });
  const seeds = draftBeside(root, { role: 'seeds', list: 'seeds.ts', renaming });
  return { changes: [...changes, ...entity, ...seeds, ...listed], left };
}

function draftStatements(root: string, renaming: Renaming): TableDraft {
  const from = renaming.from.plural.snake;
  const isAbout = (text: string) => new RegExp(`\\b(TABLE|ON) (IF NOT EXISTS |ONLY )*public\\.${from}\\b`).test(text);
  const migrations = globSync(`${MODEL}/migrations/[0-9]*.ts`, { cwd: root })
    .sort()
    .map((path) => ({ path, statements: listStatements(readWorkspaceFile(root, path)).filter(isAbout) }))
    .filter(({ statements }) => statements.length > 0);
  const isCreating = (text: string) => new RegExp(`CREATE TABLE (IF NOT EXISTS )?public\\.${from}\\b`).test(text);
  const first = migrations.find(({ statements }) => statements.some(isCreating));
  if (!first)
    throw new AuthoringRefusal(
      `--from ${renaming.from.plural.kebab}: no migration creates public.${from}; expected a migration with CREATE TABLE`,
    );
  const later = migrations.filter((migration) => migration !== first);
  // A policy alone says who sees the rows, so a later one belongs to the new table too.
  const policies = later.flatMap(({ statements }) => statements.filter(isPolicy));
  const statements = renameIn(`[${[...first.statements, ...policies].join(',')}]`, renaming).text;
  const tooLong = /\w{64,}/.exec(statements)?.[0];
  if (tooLong)
    throw new AuthoringRefusal(
      `"${tooLong}": is longer than ${LONGEST_IDENTIFIER} bytes; expected a shorter resource name`,
    );
  const draft = draftMigration({
    name: `create-${renaming.to.plural.kebab}`,
    folder: pathToFileURL(`${join(root, MODEL)}/`),
    statements,
  });
  return {
    changes: [
      { path: relative(root, draft.file), text: draft.source },
      { path: relative(root, draft.indexFile), text: draft.index, before: draft.indexBefore },
    ],
    left: later.filter(({ statements }) => !statements.every(isPolicy)).map(({ path }) => path),
  };
}

function isPolicy(statement: string): boolean {
  return /\bCREATE POLICY\b/.test(statement);
}

/** The elements of `statements: […]`, with the comments above them. */
function listStatements(source: string): string[] {
  const file = ts.createSourceFile('migration.ts', source, ts.ScriptTarget.Latest, true);
  const list = findProperty(file, 'statements')?.initializer;
  return list && ts.isArrayLiteralExpression(list) ? list.elements.map((element) => element.getFullText(file)) : [];
}

/** A file beside the entity, and its place in a list. */
function draftBeside(
  root: string,
  { role, list, renaming }: { role: 'entity' | 'seeds'; list: string; renaming: Renaming },
): FileChange[] {
  const [from, to] = [renaming.from.singular.kebab, renaming.to.singular.kebab];
  const source = `${MODEL}/entities/${from}.${role}.ts`;
  if (!existsSync(join(root, source))) return [];
  const index = `${MODEL}/entities/${list}`;
  const before = readWorkspaceFile(root, index);
  const text = register({ path: index, source: before }, (path) => path === `./${from}.${role}.js`, renaming);
  const { text: copy, clashes } = renameIn(readWorkspaceFile(root, source), renaming);
  if (clashes.length > 0)
    throw new AuthoringRefusal(
      `"${renaming.to.plural.kebab}": ${to}.${role}.ts would use ${clashes.join(', ')} for two things; expected another name`,
    );
  return [
    { path: `${MODEL}/entities/${to}.${role}.ts`, text: copy },
    ...(text === undefined ? [] : [{ path: index, text, before }]),
  ];
}

/** If the rows of the copied table may be cached, so may those of the copy, whose service caches them too. */
function draftCachedTables(root: string, renaming: Renaming): FileChange[] {
  const before = readWorkspaceFile(root, LIST);
  const file = ts.createSourceFile(LIST, before, ts.ScriptTarget.Latest, true);
  const list = findProperty(file, 'cachedTables')?.initializer;
  if (!list || !ts.isArrayLiteralExpression(list))
    throw new AuthoringRefusal(`${LIST}: has no list cachedTables; expected one`);
  const copied = list.elements.find((one) => ts.isStringLiteral(one) && one.text === renaming.from.plural.snake);
  if (!copied) return [];
  return [{ path: LIST, before, text: insert(before, [{ at: copied.end, text: `, '${renaming.to.plural.snake}'` }]) }];
}
