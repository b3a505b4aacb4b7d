import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { MIGRATION_NAME, type Model } from '@airlock/database/model';
import { addToList, assertListName, assertVariable, toCamelCase } from './model-list.js';
import { AuthoringRefusal } from './refusal.js';

export interface NewMigration extends Pick<Model, 'folder'> {
  /** What the migration does, in kebab case: `add-nickname`. */
  readonly name: string;
  /** The expand that the migration completes. If set, the migration is a contract. */
  readonly completes?: string | undefined;
  /** The migration is one repeatable statement outside a transaction, such as CREATE INDEX CONCURRENTLY. */
  readonly isAlone?: boolean;
  /** The source of its list of statements. Default: an example. */
  readonly statements?: string;
  readonly now?: Date;
}

export interface MigrationDraft {
  /** The name that `ops.migrations` will record. */
  readonly name: string;
  readonly file: string;
  readonly source: string;
  /** The file with the list of all migrations, its current text and its new text. */
  readonly indexFile: string;
  readonly indexBefore: string;
  readonly index: string;
}

/** Writes a migration and adds it to the list. Returns the path of its file. */
export function createMigration(migration: NewMigration): string {
  const { file, source, indexFile, index } = draftMigration(migration);
  writeFileSync(file, source, { flag: 'wx' });
  writeFileSync(indexFile, index);
  return file;
}

/** Returns the files that `createMigration` writes. @throws AuthoringRefusal */
export function draftMigration({ now = new Date(), ...migration }: NewMigration): MigrationDraft {
  const { name, completes, folder } = migration;
  assertListName(name, 'migration');
  const migrations = fileURLToPath(new URL('migrations/', folder));
  const indexFile = join(migrations, 'index.ts');
  const index = readFileSync(indexFile, 'utf8');
  const known = [...index.matchAll(/'\.\/(\d{14}-[a-z0-9-]+)\.js'/g)].map(([, found = '']) => found);
  if (completes !== undefined && !known.includes(completes))
    throw new AuthoringRefusal(`--contract ${completes}: no such migration; expected one of\n  ${known.join('\n  ')}`);
  const variable = toCamelCase(name);
  assertVariable({ name, variable, index, what: 'migration' }, 'defineMigration');
  const full = `${createTimestamp(now, known.at(-1) ?? '')}-${name}`;
  return {
    name: full,
    file: join(migrations, `${full}.ts`),
    source: createSource({ ...migration, full, variable }),
    indexFile,
    indexBefore: index,
    index: addToList(index, full, variable),
  };
}

/** Always later than the last migration, even if the clock of this machine is slow. */
function createTimestamp(now: Date, last: string): string {
  const [, year, month, day, hour, minute, second] = MIGRATION_NAME.exec(last) ?? [];
  const lastMs = year ? Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) : 0;
  const moment = new Date(Math.max(now.getTime(), lastMs + 1_000));
  return moment.toISOString().replace(/\D/g, '').slice(0, 14);
}

interface Source extends Pick<NewMigration, 'completes' | 'isAlone' | 'statements'> {
  readonly full: string;
  readonly variable: string;
}

function createSource({ full, variable, completes, isAlone = false, statements }: Source): string {
  const phase = completes === undefined ? `'expand',` : `'contract',\n  completes: '${completes}',`;
  const example = isAlone
    ? '`CREATE INDEX CONCURRENTLY IF NOT EXISTS name ON public.table (column)`'
    : '`ALTER TABLE public.table ADD COLUMN name text`';
  return `import { defineMigration } from '@airlock/database/model';

export const ${variable} = defineMigration({
  name: '${full}',
  phase: ${phase}${isAlone ? '\n  transaction: false,' : ''}
  statements: ${statements ?? `[${example}]`},
});
`;
}
