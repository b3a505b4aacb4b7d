import { readFileSync, writeFileSync } from 'node:fs';
import type { ClientBase } from 'pg';
import type { Model } from '@airlock/database/model';
import { OBJECTS_SQL } from './objects-sql.js';

export interface DatabaseObject {
  /** The kind in PostgreSQL's words: `table`, `event trigger`, `large object` … */
  readonly kind: string;
  readonly name: string;
  /** A hash of its definition, if it has one. */
  readonly definition: string;
}

/** Objects of every database of this workspace, for any model. */
export interface ProvidedObjects {
  /** Objects of provisioning, with the hash of each definition. */
  readonly provisioned: Readonly<Record<string, string>>;
  /** Objects of the migrator's own ledger. */
  readonly bookkeeping: readonly string[];
}

/**
 * The permitted contents of a test database. The list does not come from a database, which cannot prove its own
 * contents.
 */
export interface KnownObjects extends ProvidedObjects {
  /** Objects of all migrations, including those that a later migration removes. */
  readonly migrated: readonly string[];
}

/** Both files are written by `airlock db drift --template --write`, and compared by `airlock db drift --template`. */
const PROVIDED_FILE = new URL('./provided-objects.json', import.meta.url);

export function loadKnownObjects(model: Pick<Model, 'folder'>): KnownObjects {
  return { ...loadProvidedObjects(), migrated: JSON.parse(readFileSync(nameFile(model), 'utf8')) as string[] };
}

export function saveKnownObjects(
  model: Pick<Model, 'folder'>,
  { provisioned, bookkeeping, migrated }: KnownObjects,
): void {
  writeFileSync(PROVIDED_FILE, `${JSON.stringify({ provisioned, bookkeeping }, null, 2)}\n`);
  writeFileSync(nameFile(model), `${JSON.stringify(migrated, null, 2)}\n`);
}

export function loadProvidedObjects(): ProvidedObjects {
  return JSON.parse(readFileSync(PROVIDED_FILE, 'utf8')) as ProvidedObjects;
}

function nameFile({ folder }: Pick<Model, 'folder'>): URL {
  return new URL('records/known-objects.json', folder);
}

/** Runs no code of the database. */
export async function readObjects(client: ClientBase): Promise<DatabaseObject[]> {
  await client.query(`SET search_path = ''`);
  const { rows } = await client.query<DatabaseObject>(OBJECTS_SQL);
  return rows;
}

export function describeObject({ kind, name }: DatabaseObject): string {
  return `${kind} ${name}`;
}

/** Parts of a table: they contain no rows themselves, and a developer may have tried one. */
const PARTS = ['index', 'table constraint', 'domain constraint', 'default value'];

/** Objects that neither provisioning nor a migration creates. */
export function findUnknownObjects(objects: readonly DatabaseObject[], known: KnownObjects): DatabaseObject[] {
  const names = new Set([...Object.keys(known.provisioned), ...known.bookkeeping, ...known.migrated, 'schema public']);
  return objects.filter((object) => !isPart(object) && !names.has(describeObject(object)));
}

export function isPart({ kind }: DatabaseObject): boolean {
  return PARTS.includes(kind);
}

/** Objects that provisioning does not create, or creates differently: even a part may call a function. */
export function findPlantedObjects(objects: readonly DatabaseObject[]): DatabaseObject[] {
  const { provisioned } = loadProvidedObjects();
  return objects.filter((object) => provisioned[describeObject(object)] !== object.definition);
}

/** In a migrated template: unknown objects, and objects of provisioning that differ. */
export function findChangedObjects(objects: readonly DatabaseObject[], known: KnownObjects): DatabaseObject[] {
  const unknown = new Set(findUnknownObjects(objects, known));
  const isChanged = (object: DatabaseObject) => {
    const definition = known.provisioned[describeObject(object)];
    return definition !== undefined && definition !== object.definition;
  };
  return objects.filter((object) => unknown.has(object) || isChanged(object));
}

const SHOWN = 10;

export function listObjects(objects: readonly DatabaseObject[]): string {
  const more = objects.length > SHOWN ? ` and ${objects.length - SHOWN} more` : '';
  return objects.slice(0, SHOWN).map(describeObject).join(', ') + more;
}
