import { randomBytes } from 'node:crypto';
import { type Client, DatabaseError } from 'pg';
import type { DatabaseAddress } from '@airlock/config';
import { withClient } from '../connect/client.js';
import type { ClientContext } from '../connect/client-options.js';
import { readStructure } from '../drift/catalogue.js';
import { findSchemaDrift } from '../drift/drift.js';
import { createDatabase } from '../provision/provision.js';
import { compareObjects, type Objects, readObjects } from './objects.js';

/** What two readers, which share nothing with `readBaseline`, see of a schema. */
export interface Schema {
  readonly structure: readonly string[];
  readonly objects: Objects;
}

export async function readSchema(client: Client): Promise<Schema> {
  return { structure: await readStructure(client), objects: await readObjects(client) };
}

/** `-` is missing in `found`, `+` is only there. */
export function compareSchemas(wanted: Schema, found: Schema): string[] {
  const { missing, unexpected } = findSchemaDrift(wanted.structure, found.structure);
  return [
    ...missing.map((sql) => `- ${sql}`),
    ...unexpected.map((sql) => `+ ${sql}`),
    ...compareObjects(wanted.objects, found.objects),
  ];
}

export interface Beside {
  readonly admin: DatabaseAddress;
  readonly context: ClientContext;
  /** The database that is adopted. */
  readonly database: string;
}

export interface BuiltSchema extends Schema {
  /** In an order that runs. */
  readonly statements: readonly string[];
  /** Statements that never ran, with the reason. */
  readonly failed: readonly string[];
}

/** Runs the statements in an empty database on the same server, and removes it again. */
export function buildBeside(beside: Beside, statements: readonly string[]): Promise<BuiltSchema> {
  return withEmptyDatabase(beside, async (client) => {
    await client.query('BEGIN; SET LOCAL search_path = pg_catalog');
    const settled = await settle(client, statements);
    return { ...settled, ...(await readSchema(client)) };
  });
}

/** A statement that needs a later one waits for it: functions, views and types may depend on each other in any order. */
async function settle(
  client: Client,
  statements: readonly string[],
): Promise<Pick<BuiltSchema, 'statements' | 'failed'>> {
  const done: string[] = [];
  for (let waiting = statements; ;) {
    const failed: string[] = [];
    const before = done.length;
    const later: string[] = [];
    for (const sql of waiting) {
      const problem = await attempt(client, sql);
      if (problem === undefined) done.push(sql);
      else {
        later.push(sql);
        failed.push(`${sql.split('\n', 1)[0]!.slice(0, 100)}: ${problem}`);
      }
    }
    if (later.length === 0 || done.length === before) return { statements: done, failed };
    waiting = later;
  }
}

async function attempt(client: Client, sql: string): Promise<string | undefined> {
  try {
    await client.query(`SAVEPOINT attempt;\n${sql}\n;RELEASE attempt`);
    return undefined;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    await client.query('ROLLBACK TO attempt');
    return error.message;
  }
}

/** Its name cannot be that of a database of a person: a killed run leaves it, and the next one removes it. */
async function withEmptyDatabase<T>(
  { admin, context, database }: Beside,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  return withClient(admin, context, async (session) => {
    const drop = (name: string) => session.query(`DROP DATABASE IF EXISTS ${session.escapeIdentifier(name)}`);
    const { rows } = await session.query<{ name: string }>(LEFTOVERS, [database]);
    for (const { name } of rows) await drop(name);
    const name = `${database}_baseline_${randomBytes(4).toString('hex')}`;
    await createDatabase(session, name);
    try {
      return await withClient({ ...admin, database: name }, context, work);
    } finally {
      await drop(name);
    }
  });
}

const LEFTOVERS = `
  SELECT datname::text AS name FROM pg_database d
   WHERE pg_catalog.starts_with(datname, $1 || '_baseline_') AND pg_catalog.right(datname, 9) ~ '^_[0-9a-f]{8}$'
     AND pg_catalog.length(datname) = pg_catalog.length($1) + 18 AND pg_get_userbyid(datdba) = current_user
     AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)`;
