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

/** Where the reset is to happen, as the configuration has it. */
export interface Place {
  readonly workspace: string;
  readonly model: Pick<Model, 'folder'>;
  readonly config: Config;
  /** The migrator's address of the test database. */
  readonly address: DatabaseAddress;
}

interface Role {
  readonly name: string;
  /** The members through which the acting role reaches it; none: it is the acting role itself, or the owner. */
  readonly through: readonly string[];
  readonly powers: readonly string[];
}

/** Something of the server that belongs to a role within reach. */
interface Holding {
  readonly role: string;
  readonly kind: string;
  readonly name: string;
}

/** What the server does to each session of a role or database, before the session says a word. */
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

/** Seen by the session that will act, from the server's maintenance database. */
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

/** Seen by a session inside the database that would be replaced. */
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
  /** What makes the stamp another thing than a plain table; its rows were not read then. */
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
  /** What the database may hold. */
  readonly known: KnownObjects;
  readonly record: ProvisionRecord | undefined;
  readonly journal: Journal | 'unreadable' | undefined;
}

/** A server remembers a client that has just left for a moment: only who stays for longer is a session of somebody's. */
const SETTLE_MS = 2_000;
const POLL_MS = 10;

/** Both sessions look at the same time, so that the acting one can see the other where it claims to be. */
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

/** Counting sessions costs the server far less than a complete look, which would show the same sessions. */
async function waitForOtherSessions(acting: Client, { database }: DatabaseAddress, end: number): Promise<void> {
  while (Date.now() < end) {
    const { rows } = await acting.query<{ sessions: number }>(SESSIONS_SQL, [database]);
    // One session is our own.
    if (rows[0]!.sessions <= 1) return;
    await sleep(POLL_MS);
  }
}

/** To look inside is to open a session, and the database may run code then. The server's own catalogue says so before. */
async function assertNothingRunsAtLogin(acting: Client, { database }: DatabaseAddress): Promise<void> {
  const { rows } = await acting.query<{ runs: boolean }>(LOGIN_TRIGGER_SQL, [database]);
  if (!rows[0]?.runs) return;
  throw new Error(
    `the database "${database}" runs an event trigger whenever a session opens; expected none, so it was not looked into\n` +
      '  an administrator must drop it (SET event_triggers = off; DROP EVENT TRIGGER …) and open one more session, which clears the mark',
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
