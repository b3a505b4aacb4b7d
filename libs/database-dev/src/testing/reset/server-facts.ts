import { setTimeout as sleep } from 'node:timers/promises';
import type { Config, DatabaseAddress } from '@airlock/config';
import type { Client } from 'pg';
import { readStampFlaws, loadProvisionRecord, type ProvisionRecord } from '@airlock/database/internal';
import type { Model } from '@airlock/database/model';
import { type DatabaseObject, type KnownObjects, loadKnownObjects, readObjects } from '../contents/objects.js';
import { LIMITS, withBoundedClient } from './bounded-session.js';
import { type Journal, loadJournal } from './reset-journal.js';
import { ACTING_SQL, INSIDE_SQL, LOGIN_TRIGGER_SQL, SESSIONS_SQL } from './server-facts-sql.js';
import { nameOwner } from './minted-names.js';

/** The place of the reset according to the configuration. */
export interface Place {
  readonly workspace: string;
  readonly model: Pick<Model, 'folder'>;
  readonly config: Config;
  /** The migrator's address of the test database. */
  readonly address: DatabaseAddress;
}

interface Role {
  readonly name: string;
  /** The members through which the acting role reaches it; empty for the acting role itself and for the owner. */
  readonly through: readonly string[];
  readonly powers: readonly string[];
}

/** An object of the server that belongs to a reachable role. */
interface Holding {
  readonly role: string;
  readonly kind: string;
  readonly name: string;
}

/** Settings and code that the server applies to each session of a role or database before its first statement. */
interface SessionSetting {
  readonly setting: string;
  readonly of: string;
}

interface DatabaseEntry {
  readonly oid: number;
  readonly name: string;
  readonly owner: string;
  readonly tablespace: string;
  /** Code of the database that runs when a session opens. */
  readonly hasLoginTrigger: boolean;
  readonly isTemplate: boolean;
  readonly allowsConnections: boolean;
  readonly mayConnect: boolean;
  readonly seal: string | null;
}

interface SessionEntry {
  readonly pid: number;
  readonly databaseOid: number;
  readonly applicationName: string;
  readonly user: string;
}

/** Facts of the acting session, from the server's maintenance database. */
export interface Acting {
  readonly pid: number;
  readonly systemIdentifier: string;
  readonly startedAt: string;
  readonly isInRecovery: boolean;
  readonly roles: readonly Role[];
  readonly holdings: readonly Holding[];
  readonly settings: readonly SessionSetting[];
  readonly mayBecomeOwner: boolean;
  readonly databases: readonly DatabaseEntry[];
  readonly sessions: readonly SessionEntry[];
  readonly preparedTransactions: number;
  readonly slots: readonly string[];
}

/** Facts of a session inside the database that would be replaced. */
export interface Inside {
  readonly pid: number;
  readonly applicationName: string;
  readonly systemIdentifier: string;
  readonly startedAt: string;
  readonly isInRecovery: boolean;
  readonly databaseOid: number;
  readonly databaseName: string;
  /** `null`: no such table. Rows as text, so that a forged table of any shape can be read. */
  readonly stamps: readonly Record<string, string | null>[] | null;
  /** Reasons why the stamp is not a plain table; its rows were not read then. */
  readonly stampFlaws: readonly string[];
  readonly objects: readonly DatabaseObject[];
  readonly strayStamps: readonly string[];
  readonly subscriptions: readonly string[];
  readonly foreignAccess: readonly string[];
  readonly protections: readonly string[];
  readonly sizeBytes: number;
  readonly rows: number;
}

export interface ServerFacts {
  readonly address: DatabaseAddress;
  readonly acting: Acting;
  readonly inside: Inside;
  /** The permitted contents of the database. */
  readonly known: KnownObjects;
  readonly record: ProvisionRecord | undefined;
  readonly journal: Journal | 'unreadable' | undefined;
}

/** A server lists a client for a moment after it has left, so only sessions that last longer count. */
const SETTLE_MS = 2_000;
const POLL_MS = 10;

/** Both sessions read at the same time, so that the acting one can see the other one in its place. */
export async function loadServerFacts(acting: Client, place: Place): Promise<ServerFacts> {
  const { workspace, model, config, address } = place;
  const [record, journal] = [loadProvisionRecord(workspace, address), loadJournal(workspace, address)];
  const kept = { address, known: loadKnownObjects(model), record, journal };
  await assertNothingRunsAtLogin(acting, address);
  return withBoundedClient(address, { config, purpose: 'reset-look', limit: LIMITS.look }, async (client) => {
    for (const end = Date.now() + SETTLE_MS; ; await sleep(POLL_MS)) {
      await waitForOtherSessions(acting, address, end);
      const facts = { ...kept, inside: await readInside(client), acting: await readActing(acting, address) };
      const isAlone = facts.acting.sessions.every(({ pid }) => pid === facts.inside.pid);
      if (isAlone || Date.now() >= end) return facts;
    }
  });
}

/** Counting sessions is far cheaper for the server than the complete query, which would show the same sessions. */
async function waitForOtherSessions(acting: Client, { database }: DatabaseAddress, end: number): Promise<void> {
  while (Date.now() < end) {
    const { rows } = await acting.query<{ sessions: number }>(SESSIONS_SQL, [database]);
    // One session is our own.
    if (rows[0]!.sessions <= 1) return;
    await sleep(POLL_MS);
  }
}

/**
 * Inspecting a database opens a session, which may run code of the database. The server's own catalogue shows that
 * first.
 */
async function assertNothingRunsAtLogin(acting: Client, { database }: DatabaseAddress): Promise<void> {
  const { rows } = await acting.query<{ runs: boolean }>(LOGIN_TRIGGER_SQL, [database]);
  if (!rows[0]?.runs) return;
  throw new Error(
    `the database "${database}" runs an event trigger when a session opens; expected none, so it was not inspected\n` +
      '  an administrator must drop it (SET event_triggers = off; DROP EVENT TRIGGER …) and open one more session, which clears the flag',
  );
}

async function readActing(client: Client, { database }: DatabaseAddress): Promise<Acting> {
  const { rows } = await client.query<{ facts: Acting }>(ACTING_SQL, [database, nameOwner(database)]);
  return rows[0]!.facts;
}

async function readInside(client: Client): Promise<Inside> {
  await client.query(`SET search_path = ''`);
  const { rows } = await client.query<{ facts: Omit<Inside, 'stamps' | 'stampFlaws' | 'objects'> }>(INSIDE_SQL);
  const objects = await readObjects(client);
  const flaws = await readStampFlaws(client);
  const stamps = flaws === undefined ? null : flaws.length > 0 ? [] : await readStamps(client);
  return { ...rows[0]!.facts, objects, stampFlaws: flaws ?? [], stamps };
}

async function readStamps(client: Client): Promise<Record<string, string | null>[]> {
  const { rows } = await client.query<{ row: Record<string, string | null> }>(
    `SELECT (SELECT pg_catalog.jsonb_object_agg(e.key, e.value)
               FROM pg_catalog.jsonb_each_text(pg_catalog.to_jsonb(s)) e) AS row
       FROM ONLY ops.environment s LIMIT 5`,
  );
  return rows.map(({ row }) => row);
}
