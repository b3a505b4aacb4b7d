import { relative, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { draftMigration } from './create-migration.js';
import { UNPROTECTED } from './create-baseline.js';
import { formatAll } from './format.js';
import { AuthoringRefusal } from './refusal.js';
import { WORKSPACE_ROOT } from './workspace-root.js';
import { readWorkspaceFile, writeAll } from './write-all.js';

const MODEL = 'libs/model/src';
const SCHEMA = `${MODEL}/schema.sql`;
const LONGEST_IDENTIFIER = 63;

/** Which user sees a row. */
export type Visibility =
  /** The one whom this column names. */
  | { readonly owner: string }
  /** Each user who sees the row that this foreign key points at. */
  | { readonly through: string }
  /** Every user; only the system changes it. */
  | { readonly shared: true }
  /** No user; only the system. */
  | { readonly system: true };

export interface CreatedProtection {
  readonly path: string;
  /** False if a search by the owner, or by the key, reads the whole table. */
  readonly hasIndex: boolean;
  /** A query of a partition does not ask the policies of its table. */
  readonly isPartitioned: boolean;
}

/**
 * Writes the migration that gives a table row-level security, from what schema.sql says about its columns.
 * @throws AuthoringRefusal
 */
export async function createProtection({
  root = WORKSPACE_ROOT,
  table,
  visibility,
}: {
  root?: string;
  table: string;
  visibility: Visibility;
}): Promise<CreatedProtection> {
  const listed = readWorkspaceFile(root, UNPROTECTED);
  const schema = new SchemaFile(readWorkspaceFile(root, SCHEMA), JSON.parse(listed) as string[]);
  const { isPartitioned } = schema.assertUnprotected(table);
  const draft = draftMigration({
    name: `protect-${table
      .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')}`,
    folder: pathToFileURL(`${join(root, MODEL)}/`),
    statements: `[\n${describeStatements(schema, table, visibility)
      .map((sql) => `\`${escape(sql)}\`,`)
      .join('\n')}\n]`,
  });
  const rest = schema.unprotected.filter((name) => name !== table);
  const files = await formatAll(root, [
    { path: relative(root, draft.file), text: draft.source },
    { path: relative(root, draft.indexFile), before: draft.indexBefore, text: draft.index },
    { path: UNPROTECTED, before: listed, text: JSON.stringify(rest) },
  ]);
  writeAll(root, files);
  const [searched] =
    'owner' in visibility
      ? [visibility.owner]
      : 'through' in visibility
        ? schema.findKey(table, visibility.through).columns
        : [];
  const hasIndex = searched === undefined || schema.hasIndex(table, searched);
  return { path: relative(root, draft.file), hasIndex, isPartitioned };
}

function describeStatements(schema: SchemaFile, table: string, visibility: Visibility): string[] {
  const on = `public.${quote(table)}`;
  const policy = (kind: string) => quote(assertShort(`${table}_${kind}`));
  return [
    ...describePolicy(schema, table, visibility).map(([kind, text]) => `CREATE POLICY ${policy(kind)} ON ${on}${text}`),
    `CREATE POLICY ${policy('system')} ON ${on} TO airlock_system USING (true) WITH CHECK (true)`,
    // FORCE: the owner of the table is filtered too.
    `ALTER TABLE ${on} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`,
  ];
}

/** The policy for users: the end of its name, and its text. */
function describePolicy(schema: SchemaFile, table: string, visibility: Visibility): [kind: string, text: string][] {
  if ('system' in visibility) return [];
  if ('shared' in visibility) return [['shared', ' FOR SELECT USING (true)']];
  const rule = describeRule(schema, table, visibility);
  return [['owner', `\n  USING (${rule})\n  WITH CHECK (${rule})`]];
}

function describeRule(
  schema: SchemaFile,
  table: string,
  visibility: Exclude<Visibility, { shared: true } | { system: true }>,
): string {
  if ('owner' in visibility) {
    const type = schema.typeOf(table, visibility.owner);
    const isText = /^(text|character varying|character|(public\.)?citext)\b/.test(type);
    const user = `current_setting('app.user_id', true)`;
    // Without a user the setting is NULL or '', and no row matches.
    return `${quote(visibility.owner)} = ${isText ? user : `nullif(${user}, '')::${type}`}`;
  }
  const { columns, target, targetColumns } = schema.findKey(table, visibility.through);
  if (schema.unprotected.includes(target.replaceAll('"', '')))
    throw new AuthoringRefusal(
      `${target}: has no row-level security, so every user would see the rows of ${table} too; expected it first\n  airlock new protection ${target} --owner COLUMN`,
    );
  const match = columns.map((name, place) => `parent.${targetColumns[place]} = ${quote(table)}.${name}`).join(' AND ');
  return `EXISTS (SELECT FROM ${target.includes('.') ? target : `public.${target}`} parent WHERE ${match})`;
}

/** The tables of schema public, as the printed schema shows them. */
class SchemaFile {
  readonly #text: string;

  constructor(
    text: string,
    /** Those of an adopted database; a migration that was just written has taken its table off. */
    readonly unprotected: readonly string[],
  ) {
    this.#text = text;
  }

  assertUnprotected(table: string): { isPartitioned: boolean } {
    const [line] = this.#find(`CREATE (?:UNLOGGED )?TABLE public\\.${pattern(table)} \\(\\)(.*)`);
    if (line === undefined)
      throw new AuthoringRefusal(
        `"${table}": ${SCHEMA} has no such table in schema public; expected the name of one\n  airlock db drift --template --write`,
      );
    if (this.#find(`ALTER TABLE public\\.${pattern(table)} ENABLE ROW LEVEL SECURITY;`).length > 0)
      throw new AuthoringRefusal(`"${table}": already has row-level security; expected a table without it`);
    return { isPartitioned: line.includes(' PARTITION BY ') };
  }

  typeOf(table: string, column: string): string {
    const [found] = this.#find(
      `ALTER TABLE public\\.${pattern(table)} ADD COLUMN ${pattern(column)} (.+?)(?: (?:COLLATE|DEFAULT|GENERATED|NOT NULL).*)?;`,
    );
    if (found) return found;
    const columns = this.#find(`ALTER TABLE public\\.${pattern(table)} ADD COLUMN (\\S+) .*`);
    throw new AuthoringRefusal(
      `--owner ${column}: ${table} has no such column; expected one of\n  ${columns.join('\n  ')}`,
    );
  }

  findKey(table: string, constraint: string) {
    const form = `ALTER TABLE public\\.${pattern(table)} ADD CONSTRAINT ${pattern(constraint)} FOREIGN KEY (\\(.*?\\) REFERENCES public\\..+?\\(.*?\\)).*`;
    const [, columns, target, targetColumns] =
      /^\((.*?)\) REFERENCES public\.(.+?)\((.*?)\)$/.exec(this.#find(form)[0] ?? '') ?? [];
    if (columns && target && targetColumns)
      return { columns: columns.split(', '), target, targetColumns: targetColumns.split(', ') };
    const keys = this.#find(`ALTER TABLE public\\.${pattern(table)} ADD CONSTRAINT (\\S+) FOREIGN KEY .*`);
    throw new AuthoringRefusal(
      `--through ${constraint}: ${table} has no such foreign key; expected ${keys.length === 0 ? 'a table that has one' : `one of\n  ${keys.join('\n  ')}`}`,
    );
  }

  hasIndex(table: string, column: string): boolean {
    const name = column.startsWith('"') ? escapePattern(column) : pattern(column);
    return (
      this.#find(`(CREATE (?:UNIQUE )?INDEX \\S+ ON public\\.${pattern(table)} USING btree \\(${name}[,)].*)`).some(
        (line) => !line.includes(' WHERE '),
      ) ||
      this.#find(`(ALTER TABLE public\\.${pattern(table)} ADD CONSTRAINT \\S+ (?:PRIMARY KEY|UNIQUE) \\(${name}[,)].*)`)
        .length > 0
    );
  }

  /** The first group of each line of the form. */
  #find(form: string): string[] {
    return [...this.#text.matchAll(new RegExp(`^${form}$`, 'gm'))].map(([line, group]) => group ?? line);
  }
}

function assertShort(name: string): string {
  if (Buffer.byteLength(name) <= LONGEST_IDENTIFIER) return name;
  throw new AuthoringRefusal(
    `"${name}": is longer than ${LONGEST_IDENTIFIER} bytes; expected a shorter table name; write the migration by hand`,
  );
}

/** As PostgreSQL prints the name; reserved words do not matter here, because a column or table is always found by both. */
function quote(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

const escapePattern = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
/** PostgreSQL also quotes reserved words, such as "order". */
const pattern = (name: string) => `(?:${escapePattern(quote(name))}|"${escapePattern(name.replaceAll('"', '""'))}")`;
const escape = (sql: string) => sql.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${');
