import type { Config } from '@airlock/config';
import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
import { chooseCopyStrategy } from '@airlock/database/internal';
import { bounded, LIMITS, withBoundedClient, withinTime } from './bounded-session.js';
import { type Journal, removeJournal, saveJournal } from './reset-journal.js';
import { formatSeal, mintName, nameOwner, nameTemplate } from './minted-names.js';
import type { Place, ServerFacts } from './server-facts.js';

/** Points at which a test ends the process, each right after a permanent change. */
export type Step = 'minted' | 'created' | 'cloned' | 'prepared' | 'renamed' | 'swapped' | 'dropped';

export interface Recreation {
  readonly acting: Client;
  readonly place: Place;
  /** The facts that the layers checked. */
  readonly facts: ServerFacts;
  /** Checks the untouched clone, whose contents equal the template's. @returns false when a layer refuses it */
  readonly judgeClone: (fresh: string) => Promise<boolean>;
  /** Fills the empty clone: migrations and seed. */
  readonly prepare: (config: Config) => Promise<void>;
  /** Checks again after the preparation of the clone. @throws when a layer refuses now */
  readonly judgeAgain: () => Promise<void>;
  readonly onStep: (step: Step) => void;
}

/**
 * Clones the template, prepares the clone under a generated name, swaps the two names in one transaction, and drops the
 * old database. If the process ends at any point, a database with the right name and a valid stamp exists.
 *
 * @returns false when the template was refused: its clone is dropped, and the database unchanged
 */
export async function recreateDatabase(recreation: Recreation): Promise<boolean> {
  const { acting, place, facts, judgeClone, prepare, judgeAgain, onStep } = recreation;
  const { database } = place.address;
  let journal = mintNames(facts);
  const advance = (next: Partial<Journal>) => {
    journal = { ...journal, ...next };
    saveJournal(place.workspace, place.address, journal);
    onStep(journal.step);
  };
  advance({});
  const freshOid = await bounded(acting, LIMITS.clone, async () => {
    await becomeOwner(acting, database);
    return createClone(acting, journal);
  });
  onStep('created');
  if (!(await judgeClone(journal.fresh))) {
    await bounded(acting, LIMITS.swap, () => dropMinted(acting, journal.fresh, freshOid));
    removeJournal(place.workspace, place.address);
    return false;
  }
  await restamp(place, journal.fresh, journal.fresh);
  advance({ step: 'cloned', freshOid });
  await withinTime(LIMITS.prepare, prepare(renameDatabase(place.config, journal.fresh)));
  await restamp(place, journal.fresh, database);
  advance({ step: 'prepared' });
  await judgeAgain();
  await bounded(acting, LIMITS.swap, () => swapNames(acting, journal));
  onStep('renamed');
  advance({ step: 'swapped' });
  await bounded(acting, LIMITS.swap, () => dropMinted(acting, journal.retired, journal.retiredOid));
  onStep('dropped');
  removeJournal(place.workspace, place.address);
  return true;
}

/** Drops the remains of an interrupted run: only names of its journal, and only if they are the same databases. */
export async function clearInterrupted(
  acting: Client,
  { workspace, address }: Place,
  facts: ServerFacts,
): Promise<void> {
  const { journal } = facts;
  if (typeof journal !== 'object') return;
  await bounded(acting, LIMITS.swap, async () => {
    await becomeOwner(acting, address.database);
    // Killed between the swap and its journal entry: the clone's number has the real name now.
    await dropMinted(acting, journal.fresh, journal.freshOid);
    await dropMinted(acting, journal.retired, journal.retiredOid);
  });
  removeJournal(workspace, address);
}

async function becomeOwner(client: Client, database: string): Promise<void> {
  await client.query(`SET ROLE ${escapeIdentifier(nameOwner(database))}`);
}

function mintNames({ acting, inside, address }: ServerFacts): Journal {
  return {
    step: 'minted',
    systemIdentifier: acting.systemIdentifier,
    database: address.database,
    fresh: mintName(address.database),
    freshOid: null,
    retired: mintName(address.database),
    retiredOid: inside.databaseOid,
  };
}

/** A clone has neither the grants nor the comment of its template: both are in the server's shared catalogue. */
async function createClone(acting: Client, { database, fresh, systemIdentifier }: Journal): Promise<number> {
  const name = escapeIdentifier(fresh);
  const strategy = await chooseCopyStrategy(acting);
  await acting.query(
    `CREATE DATABASE ${name} TEMPLATE ${escapeIdentifier(nameTemplate(database))} STRATEGY ${strategy}`,
  );
  await acting.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
  const { rows: grants } = await acting.query<{ privilege: string; grantee: string }>(GRANTS_SQL, [
    nameTemplate(database),
  ]);
  for (const { privilege, grantee } of grants) {
    await acting.query(`GRANT ${privilege} ON DATABASE ${name} TO ${escapeIdentifier(grantee)}`);
  }
  const oid = await readOid(acting, fresh);
  await acting.query(`COMMENT ON DATABASE ${name} IS ${escapeLiteral(formatSeal(systemIdentifier, oid ?? 0))}`);
  return oid ?? 0;
}

const GRANTS_SQL = `
  SELECT g.privilege_type AS privilege, pg_catalog.pg_get_userbyid(g.grantee) AS grantee
  FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) g WHERE d.datname = $1 AND g.grantee <> 0`;

/**
 * Stamps the clone. It gets the stamp of its final name before the swap, so that a valid database exists at every
 * moment.
 */
async function restamp({ config, address }: Place, fresh: string, asName: string): Promise<void> {
  const context = { config, purpose: 'reset-stamp', limit: LIMITS.stamp };
  await withBoundedClient({ ...address, database: fresh }, context, async (client) => {
    await becomeOwner(client, address.database);
    await client.query('SELECT ops.restamp($1)', [asName]);
  });
}

/** Renaming is transactional: if either name belongs to another database than the checked one, neither changes. */
async function swapNames(acting: Client, journal: Journal): Promise<void> {
  const { database, fresh, retired, freshOid, retiredOid, systemIdentifier } = journal;
  const [name, freshName, retiredName] = [database, fresh, retired].map(escapeIdentifier);
  await acting.query('BEGIN');
  try {
    const { rows } = await acting.query<{ system: string; seal: string | null; recovering: boolean }>(HERE_SQL, [
      retiredOid,
    ]);
    const isHere = rows[0]?.system === systemIdentifier && !rows[0].recovering;
    if (!isHere || rows[0]?.seal !== formatSeal(systemIdentifier, retiredOid))
      throw new Error(`"${database}" is not the database that was checked`);
    await acting.query(`ALTER DATABASE ${name} RENAME TO ${retiredName}`);
    await acting.query(`ALTER DATABASE ${freshName} RENAME TO ${name}`);
    if ((await readOid(acting, retired)) !== retiredOid || (await readOid(acting, database)) !== freshOid) {
      throw new Error(`"${database}" is no longer the database that was checked`);
    }
    await acting.query('COMMIT');
  } catch (error) {
    await acting.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

const HERE_SQL = `
  SELECT system_identifier::pg_catalog.text AS system, pg_catalog.shobj_description($1, 'pg_database') AS seal,
         pg_catalog.pg_is_in_recovery() AS recovering
  FROM pg_catalog.pg_control_system()`;

async function dropMinted(acting: Client, name: string, oid: number | null): Promise<void> {
  const found = await readOid(acting, name);
  if (found === undefined) return;
  if (oid !== null && found !== oid)
    throw new Error(`"${name}" is database number ${found}; expected ${oid}: not dropped`);
  await acting.query(`DROP DATABASE ${escapeIdentifier(name)}`);
}

async function readOid(acting: Client, name: string): Promise<number | undefined> {
  const { rows } = await acting.query<{ oid: number }>(
    'SELECT oid::pg_catalog.int8::pg_catalog.float8 AS oid FROM pg_catalog.pg_database WHERE datname = $1',
    [name],
  );
  return rows[0]?.oid;
}

function renameDatabase(config: Config, database: string): Config {
  const { app, migration } = config.database;
  return {
    ...config,
    database: { ...config.database, app: { ...app, database }, migration: migration && { ...migration, database } },
  };
}
