import { createHash, randomBytes } from 'node:crypto';
import { type Client, DatabaseError } from 'pg';
import type { DatabaseAddress } from '@airlock/config';
import { withClient } from '../connect/client.js';
import type { ClientContext } from '../connect/client-options.js';
import { readStructure } from '../drift/catalogue.js';
import { findSchemaDrift } from '../drift/drift.js';
import { createDatabase } from '../provision/provision.js';
import { compareObjects, type CatalogueObjects, readObjects } from './catalogue-objects.js';

/** A schema as two readers see it that share nothing with `readBaseline`. */
export interface Schema {
  readonly structure: readonly string[];
  readonly objects: CatalogueObjects;
}

export async function readSchema(client: Client): Promise<Schema> {
  return { structure: await readStructure(client), objects: await readObjects(client) };
}

/** `-` is missing in `found`, `+` is only there. */
export function diffSchemas(wanted: Schema, found: Schema): string[] {
  const { missing, unexpected } = findSchemaDrift(wanted.structure, found.structure);
  return [
    ...missing.map((sql) => `- ${sql}`),
    ...unexpected.map((sql) => `+ ${sql}`),
    ...compareObjects(wanted.objects, found.objects),
  ];
}

export interface ProofPlace {
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

/**
 * Runs the statements in an empty database on the same server, and removes it again. They run as a role without powers, as
 * the migrator will be: filling a materialised view calls functions, which the old owner of the database wrote.
 */
export function buildBeside(place: ProofPlace, statements: readonly string[]): Promise<BuiltSchema> {
  return withEmptyDatabase(place, async (client, role) => {
    await client.query('BEGIN; SET LOCAL search_path = pg_catalog');
    await client.query(`ALTER SCHEMA public OWNER TO ${role}; SET LOCAL ROLE ${role}`);
    const settled = await settle(client, statements);
    await client.query('RESET ROLE');
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
  // By itself: a syntax error in the same message would leave no savepoint to return to.
  await client.query('SAVEPOINT attempt');
  try {
    await client.query(`${sql}\n;RELEASE attempt`);
    return undefined;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    await client.query('ROLLBACK TO attempt; RELEASE attempt');
    return error.message;
  }
}

/**
 * Its name, which is also that of a role, is not one that a person gives: a killed run leaves both, and the next run for the
 * same database removes them. The caller holds the lock of that database.
 */
async function withEmptyDatabase<T>(
  { admin, context, database }: ProofPlace,
  work: (client: Client, role: string) => Promise<T>,
): Promise<T> {
  return withClient(admin, context, async (session) => {
    const family = `airlock_baseline_${createHash('sha256').update(database).digest('hex').slice(0, 8)}_`;
    await removeFamily(session, family);
    const name = family + randomBytes(4).toString('hex');
    try {
      await session.query(`CREATE ROLE ${name} NOLOGIN; GRANT ${name} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE`);
      await createDatabase(session, name);
      await session.query(`GRANT CREATE ON DATABASE ${name} TO ${name}`);
      return await withClient({ ...admin, database: name }, context, (client) => work(client, name));
    } finally {
      await removeFamily(session, family);
    }
  });
}

async function removeFamily(session: Client, family: string): Promise<void> {
  const { rows } = await session.query<{ name: string }>(LEFTOVERS, [`^${family}[0-9a-f]{8}$`]);
  for (const { name } of rows) {
    await session.query(`DROP DATABASE IF EXISTS ${name}`);
    await session.query(`DROP ROLE IF EXISTS ${name}`);
  }
}

const LEFTOVERS = `
  SELECT datname::text AS name FROM pg_catalog.pg_database WHERE datname ~ $1
  UNION SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname ~ $1`;
