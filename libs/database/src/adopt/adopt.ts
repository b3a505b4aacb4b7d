import { type Client, DatabaseError } from 'pg';
import { withClient } from '../connect/client.js';
import { createSessionConfig } from '../connect/client-options.js';
import { assertIdentity } from '../identity/assert-identity.js';
import { readStamp } from '../identity/stamp.js';
import { claimMigration, ensureLedger, loadLedger, type Provenance } from '../runner/ledger.js';
import { withRetries } from '../migrate/retry.js';
import { DEFAULT_TIMING } from '../runner/timing.js';
import type { Migration } from '../model/migration.js';
import { ProvisionError, provisionExisting, type ProvisionOptions } from '../provision/provision.js';
import { type ForeignKey, readForeignKeys, readTables, type TableFacts } from '../refresh/read-tables.js';
import { AdoptionRefusal } from './adoption-refusal.js';
import { readBaseline } from './baseline.js';
import { type Inventory, isKept, readInventory } from './inventory.js';
import { type ProofPlace, buildBeside, diffSchemas, readSchema, type Schema } from './prove.js';
import { openSchema, OTHER_SCHEMAS, TAKE_OVER } from './take-over.js';

/** The database of `app`, which has tables and is not ours yet. */
export type AdoptionPlace = Omit<ProvisionOptions, 'adopt'>;

export interface BaselineDraft {
  readonly inventory: Inventory;
  /** In an order that ran in an empty database, and gave the same schema there. */
  readonly statements: readonly string[];
  /** Of schema public, for the classes of their columns. */
  readonly tables: readonly TableFacts[];
  readonly foreignKeys: readonly ForeignKey[];
  /** Tables and partitions of schema public without row-level security. */
  readonly unprotected: readonly string[];
}

export interface AdoptionReport {
  readonly database: string;
  /** False if an earlier run has already adopted it. */
  readonly isNew: boolean;
  readonly baseline: string;
  readonly warnings: readonly string[];
}

/** Reads only. @param schemaOfCode the statements of `schema.sql` */
export function inspectDatabase(place: AdoptionPlace, schemaOfCode: readonly string[]): Promise<Inventory> {
  return withSnapshot(place, async (client) => {
    await assertEnvironment(client, place);
    return readInventory(client, schemaOfCode);
  });
}

/** Reads, and proves the result in an empty database of the server. @throws AdoptionRefusal naming what a baseline would lose */
export function draftBaseline(place: AdoptionPlace, schemaOfCode: readonly string[]): Promise<BaselineDraft> {
  return withSnapshot(place, async (client) => {
    await lockDatabase(client);
    await assertEnvironment(client, place);
    const applied = await loadJournal(client);
    if (applied.length > 0)
      refuse('database', [`has ${applied.length} migrations of Airlock`], 'one that is not ours yet');
    const inventory = await readInventory(client, schemaOfCode);
    refuse('database', inventory.refusals, 'a database that a baseline can create again');
    const wanted = await readSchema(client);
    const statements = await readBaseline(client);
    const built = await buildBeside(createProofPlace(place), statements);
    refuse('baseline', [...built.failed, ...listDifferences(wanted, built)], 'the schema of the database');
    const [tables, foreignKeys] = [await readTables(client), await readForeignKeys(client)];
    const { rows } = await client.query<{ name: string }>(UNPROTECTED);
    return { inventory, statements: built.statements, tables, foreignKeys, unprotected: rows.map(({ name }) => name) };
  });
}

/**
 * Makes the database ours in one transaction: roles, owners, grants, stamp, and the baseline in the journal of migrations,
 * recorded and not run. No row and no column changes. Safe to repeat, to run twice at once, and to kill.
 *
 * @throws AdoptionRefusal if the schema is not that of the baseline; nothing was changed
 */
export async function adopt(
  place: AdoptionPlace,
  { baseline, by, onRetry = () => {} }: { baseline: Migration; by: Provenance; onRetry?: (reason: string) => void },
): Promise<AdoptionReport> {
  const { database } = place.app;
  return withClient({ ...place.admin, database }, createProofPlace(place).context, async (client) => {
    await lockDatabase(client);
    if (await isAdopted(client, { place, baseline }))
      return { database, isNew: false, baseline: baseline.name, warnings: [] };
    // Such as a schema `ops` of another program, which the proof does not compare.
    refuse('database', (await inspectDatabase(place, [])).refusals, 'a database that a baseline can create again');
    const wanted = await buildBeside(
      createProofPlace(place),
      baseline.statements.map(({ sql }) => sql),
    );
    refuse('baseline', wanted.failed, 'statements that run on this server');
    const retries = { signal: undefined, onRetry: ({ reason }: { reason: string }) => onRetry(reason) };
    let warnings: readonly string[] = [];
    await withRetries(DEFAULT_TIMING, retries, async () => {
      ({ warnings } = await takeOver(client, { place, baseline, by, wanted }));
    }).catch((error: unknown) => {
      throw explain(error);
    });
    return { database, isNew: true, baseline: baseline.name, warnings };
  });
}

async function takeOver(
  client: Client,
  { place, baseline, by, wanted }: { place: AdoptionPlace; baseline: Migration; by: Provenance; wanted: Schema },
): Promise<{ warnings: readonly string[] }> {
  // A change of owner waits for every reader of the table, and all later ones wait behind it.
  await client.query(`SET lock_timeout = ${DEFAULT_TIMING.lockTimeoutMs}`);
  return provisionExisting(client, place, async () => {
    await client.query(TAKE_OVER);
    await client.query('SELECT pg_catalog.set_config($1, pg_catalog.current_setting($2), true)', [
      'role',
      'provision.owner',
    ]);
    const { rows } = await client.query<{ schema: string }>(OTHER_SCHEMAS);
    for (const { schema } of rows) await client.query(openSchema(schema));
    // Its tables are locked now, so that nothing can change it any more.
    refuse('schema', listDifferences(await readSchema(client), wanted), `that of ${baseline.name}`);
    await ensureLedger(client);
    await claimMigration(client, baseline, by);
  });
}

const UNPROTECTED = `
  SELECT relname::text AS name FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::pg_catalog.regnamespace
     AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY relname COLLATE "C"`;

/** `-` is only in the database, `+` only in the baseline. */
function listDifferences(live: Schema, baseline: Schema): string[] {
  return diffSchemas(live, baseline).filter((line) => !isKept(line.slice(2)));
}

function createProofPlace({ admin, app, environment, sslCa }: AdoptionPlace): ProofPlace {
  const context = { config: createSessionConfig(environment, sslCa), purpose: 'adopt' };
  return { admin, context, database: app.database };
}

function withSnapshot<T>(place: AdoptionPlace, read: (client: Client) => Promise<T>): Promise<T> {
  const { admin, context, database } = createProofPlace(place);
  return withClient({ ...admin, database }, context, async (client) => {
    // Nothing in it can change the database, whatever else goes wrong.
    await client.query(
      'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0',
    );
    const result = await read(client);
    await client.query('ROLLBACK');
    return result;
  });
}

/** A second run waits for the first one, and then finds its work done. */
async function lockDatabase(client: Client): Promise<void> {
  await client.query('SET lock_timeout = 0; SET statement_timeout = 0');
  await client.query(`SELECT pg_catalog.pg_advisory_lock(pg_catalog.hashtextextended('airlock/adopt', 0))`);
}

/** @throws IdentityError for a database that has a stamp, and not of this place */
async function assertEnvironment(client: Client, { app, environment }: AdoptionPlace): Promise<void> {
  if ((await readStamp(client)) === undefined) return;
  await assertIdentity(client, { expected: environment, config: { environment, database: { app } } });
}

/** A schema `ops` of another program is never read: a view in it would run as the administrator. */
async function loadJournal(client: Client): Promise<Awaited<ReturnType<typeof loadLedger>>> {
  const { rows } = await client.query(
    `SELECT FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass('ops.migrations') AND relkind = 'r' AND NOT relrowsecurity`,
  );
  return rows.length > 0 && (await readStamp(client)) ? loadLedger(client) : [];
}

async function isAdopted(
  client: Client,
  { place, baseline }: { place: AdoptionPlace; baseline: Migration },
): Promise<boolean> {
  const applied = await loadJournal(client);
  // Provisioning checks the stamp of every other database, which may be a copy.
  if (applied.length > 0) await assertEnvironment(client, place);
  const found = applied.find(({ name }) => name === baseline.name);
  if (found && found.sha256 !== baseline.sha256)
    refuse(
      'database',
      [`${baseline.name}: was edited after this database was adopted with it`],
      'the file of that time',
    );
  if (!found && applied.length > 0)
    refuse(
      'database',
      [`has ${applied.length} migrations of Airlock, and not ${baseline.name}`],
      'one that is not ours yet',
    );
  return found !== undefined;
}

function refuse(where: string, problems: readonly string[], expected: string): void {
  if (problems.length === 0) return;
  const count = `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`;
  throw new AdoptionRefusal(
    `${where}: ${count}; expected ${expected}\n${problems.map((line) => `  ${line}`).join('\n')}`,
  );
}

const LOCK_NOT_AVAILABLE = '55P03';

function explain(error: unknown): unknown {
  if (error instanceof ProvisionError) return new AdoptionRefusal(error.message, { cause: error });
  if (!(error instanceof DatabaseError)) return error;
  const where = /"([^"]+)"/.exec(error.where ?? '')?.[1] ?? 'a statement';
  if (error.code !== LOCK_NOT_AVAILABLE) return error;
  return new AdoptionRefusal(
    `${where}: other sessions hold locks on it for longer than ${DEFAULT_TIMING.lockTimeoutMs / 1000} s; expected a quieter moment\n` +
      '  Nothing was changed. End long transactions, such as a dump or a report, and run it again.',
    { cause: error },
  );
}
