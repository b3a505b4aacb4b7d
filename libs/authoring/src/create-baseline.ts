import { MIGRATION_NAME } from '@airlock/database/model';
import { formatAll } from './format.js';
import { AuthoringRefusal } from './refusal.js';
import { WORKSPACE_ROOT } from './workspace-root.js';
import { assertFree, type FileChange, readWorkspaceFile, writeAll } from './write-all.js';

const MODEL = 'libs/model/src';
const MIGRATIONS = `${MODEL}/migrations/index.ts`;
const ENTITIES = `${MODEL}/entities/index.ts`;
const ADOPTED = `${MODEL}/entities/adopted.ts`;
const RELEASED = `${MODEL}/records/released.json`;
export const UNPROTECTED = `${MODEL}/records/unprotected.json`;

export interface NewBaseline {
  readonly root?: string;
  readonly statements: readonly string[];
  /** Table → column → the suggested class, as source. */
  readonly suggestions: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Tables of schema public, partitions included, that have no row-level security. */
  readonly unprotected: readonly string[];
  readonly now?: Date;
}

/**
 * Writes the first migration, the classes of its columns, and the list of its tables without row-level security. Every
 * class is `secret`, so that nothing of a table is copied before a person has decided about it.
 * @throws AuthoringRefusal
 */
export async function createBaseline({ root = WORKSPACE_ROOT, ...baseline }: NewBaseline): Promise<string[]> {
  assertNoBaseline(root);
  const index = readWorkspaceFile(root, MIGRATIONS);
  const name = `${createTimestamp(index, baseline.now ?? new Date())}-baseline`;
  const migration = `${MODEL}/migrations/${name}.ts`;
  assertFree(root, name, [migration, ADOPTED]);
  const files = await formatAll(root, [
    { path: migration, text: draftMigration(name, baseline.statements) },
    { path: MIGRATIONS, before: index, text: putFirst(index, name) },
    { path: ADOPTED, text: draftClasses(baseline.suggestions) },
    addClasses(root),
    { path: UNPROTECTED, before: readWorkspaceFile(root, UNPROTECTED), text: JSON.stringify(baseline.unprotected) },
  ]);
  writeAll(root, files);
  return files.map(({ path }) => path);
}

/** @throws AuthoringRefusal if the workspace has a baseline, or migrations that databases of a release have run */
export function assertNoBaseline(root: string = WORKSPACE_ROOT): void {
  if (/-baseline\.js'/.test(readWorkspaceFile(root, MIGRATIONS)))
    throw new AuthoringRefusal(
      `${MIGRATIONS}: already has a baseline; expected a workspace that has adopted no database`,
    );
  const released = Object.keys(JSON.parse(readWorkspaceFile(root, RELEASED)) as object);
  if (released.length === 0) return;
  throw new AuthoringRefusal(
    `${RELEASED}: lists ${released.length} migrations, which databases of a release have run; expected none, because a baseline is the first one\n` +
      '  Adopt into a new workspace, and move your code there.',
  );
}

/** Before the first migration: the database has none of them, and they are applied in the order of their names. */
function createTimestamp(index: string, now: Date): string {
  const [first] = [...index.matchAll(/'\.\/(\d{14}-[a-z0-9-]+)\.js'/g)].map(([, name = '']) => name).sort();
  const [, year, month, day, hour, minute, second] = MIGRATION_NAME.exec(first ?? '') ?? [];
  const moment = year ? new Date(Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) - 1000) : now;
  return moment.toISOString().replace(/\D/g, '').slice(0, 14);
}

function draftMigration(name: string, statements: readonly string[]): string {
  return `import { defineMigration } from '@airlock/database/model';

/** The schema as it was when the database was adopted. Never edit it: other databases were adopted with it. */
export const baseline = defineMigration({
  name: '${name}',
  phase: 'expand',
  isBaseline: true,
  statements: [
${statements.map((sql) => `${toTemplate(sql)},`).join('\n')}
  ],
});
`;
}

/** Also a carriage return, which a template literal would turn into a line feed. */
function toTemplate(text: string): string {
  return `\`${text.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${').replaceAll('\r', '\\r')}\``;
}

function putFirst(index: string, name: string): string {
  const line = `import { baseline } from './${name}.js';\n`;
  const imported = /^import .* from '\.\/\d{14}-/m.exec(index)?.index ?? index.indexOf('\nexport const migrations');
  const listed = /export const migrations[^=]*= \[/.exec(index);
  if (imported < 0 || !listed) throw new AuthoringRefusal(`${MIGRATIONS}: has no list \`migrations\`; expected one`);
  const at = listed.index + listed[0].length;
  return `${index.slice(0, imported)}${line}${index.slice(imported, at)}baseline, ${index.slice(at)}`;
}

function draftClasses(suggestions: NewBaseline['suggestions']): string {
  const tables = Object.entries(suggestions).map(([table, columns]) => {
    const lines = Object.entries(columns).map(([column, of]) => `    ${quote(column)}: 'secret', // ${of}`);
    return `  ${quote(table)}: {\n${lines.join('\n')}\n  },`;
  });
  return `import type { Classes } from '@airlock/database/model';

/**
 * The adopted tables. Every class is secret, so that no row is copied: decide about one table after the other, those that
 * others point at first. Each line ends in a suggestion, made from the name and the type of the column alone; its functions
 * are those of '@airlock/database/model'.
 */
export const adoptedClasses: Classes = {
${tables.join('\n')}
};
`;
}

/** A name may contain a line break too. */
const quote = (name: string) => JSON.stringify(name);

function addClasses(root: string): FileChange {
  const before = readWorkspaceFile(root, ENTITIES);
  const listed = /export const classes[^=]*= Object\.fromEntries\(\[/.exec(before);
  const imported = /^import .* from '\.\//ms.exec(before)?.index ?? 0;
  if (!listed) throw new AuthoringRefusal(`${ENTITIES}: has no list \`classes\`; expected one`);
  const at = listed.index + listed[0].length;
  const text = `${before.slice(0, at)}...Object.entries(adoptedClasses), ${before.slice(at)}`;
  const start = /^import \{/m.exec(text.slice(imported))?.index ?? 0;
  const place = imported + start;
  return {
    path: ENTITIES,
    before,
    text: `${text.slice(0, place)}import { adoptedClasses } from './adopted.js';\n${text.slice(place)}`,
  };
}
