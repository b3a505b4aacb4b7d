import { setTimeout as sleep } from 'node:timers/promises';
import type { Config, DatabaseAddress } from '@airlock/config';
import type { Client } from 'pg';
import { withClient } from '../../client.js';
import { loadProvisionRecord, type ProvisionRecord } from '../../provision/provision-record.js';
import { type Journal, loadJournal } from './journal.js';
import { ACTING_SQL, INSIDE_SQL } from './server-facts-sql.js';
import { nameOwner } from './minted-names.js';

/** Where the reset is to happen, as the configuration has it. */
export interface Place {
  readonly workspace: string;
  readonly config: Config;
  /** The migrator's address of the test database. */
  readonly address: DatabaseAddress;
}

interface Role {
  readonly name: string;
  readonly powers: readonly string[];
}

interface DatabaseEntry {
  readonly oid: number;
  readonly name: string;
  readonly owner: string;
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
  readonly record: ProvisionRecord | undefined;
  readonly journal: Journal | 'unreadable' | undefined;
}

/** A server remembers a client that has just left for a moment: only who stays for longer is a session of somebody's. */
const SETTLE_MS = 2_000;
const POLL_MS = 50;

/** Both sessions look at the same time, so that the acting one can see the other where it claims to be. */
export async function loadServerFacts(acting: Client, { workspace, config, address }: Place): Promise<ServerFacts> {
  const kept = { address, record: loadProvisionRecord(workspace, address), journal: loadJournal(workspace, address) };
  return withClient(address, { config, purpose: 'reset-look' }, async (client) => {
    for (const end = Date.now() + SETTLE_MS; ; await sleep(POLL_MS)) {
      const facts = { ...kept, inside: await readInside(client), acting: await readActing(acting, address) };
      const isAlone = facts.acting.sessions.every(({ pid }) => pid === facts.inside.pid);
      if (isAlone || Date.now() >= end) return facts;
    }
  });
}

async function readActing(client: Client, { database }: DatabaseAddress): Promise<Acting> {
  const { rows } = await client.query<{ facts: Acting }>(ACTING_SQL, [database, nameOwner(database)]);
  return rows[0]!.facts;
}

async function readInside(client: Client): Promise<Inside> {
  await client.query(`SET search_path = ''`);
  const { rows } = await client.query<{ facts: Omit<Inside, 'stamps'> & { hasStamp: boolean } }>(INSIDE_SQL);
  const { hasStamp, ...facts } = rows[0]!.facts;
  return { ...facts, stamps: hasStamp ? await readStamps(client) : null };
}

async function readStamps(client: Client): Promise<Record<string, string | null>[]> {
  const { rows } = await client.query<{ row: Record<string, string | null> }>(
    `SELECT (SELECT pg_catalog.jsonb_object_agg(e.key, e.value)
               FROM pg_catalog.jsonb_each_text(pg_catalog.to_jsonb(s)) e) AS row
       FROM ops.environment s LIMIT 5`,
  );
  return rows.map(({ row }) => row);
}
