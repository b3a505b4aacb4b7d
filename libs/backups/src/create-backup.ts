import { randomBytes } from 'node:crypto';
import type { DatabaseAddress } from '@airlock/config';
import { assertIdentity, withClient } from '@airlock/database/sessions';
import type { Client } from 'pg';
import { refuse } from './problems/backup-error.js';
import { type BackupOptions, createClaim, createContext } from './backup-options.js';
import { BackupStore } from './backup-store.js';
import { type Contents, findShrinkage } from './contents/contents.js';
import { listTables, prepareSession, readContents } from './contents/read-contents.js';
import { createEncryption } from './encryption.js';
import { holdLock } from './hold-lock.js';
import { createBackupName, type BackupManifest } from './manifest.js';
import { recordStored } from './proofs.js';
import { removeOld } from './remove-old.js';
import { Checksum } from './tools/streams.js';
import { assertTools } from './tools/assert-tools.js';
import { startTool } from './tools/start-tool.js';
import { TableList } from './tools/table-list.js';
import { withFile } from './tools/with-file.js';

export interface CreateOptions extends BackupOptions {
  /** How many backups without doubts are kept. */
  readonly keep: number;
  /** Public keys of age. None: the backup is not encrypted. */
  readonly recipients: readonly string[];
}

export interface BackupReport {
  readonly backup: BackupManifest;
  /** The names of older backups that were removed. */
  readonly removed: readonly string[];
  /** False: migrations that require a backup do not see this one. */
  readonly isRecorded: boolean;
}

/**
 * Stores a backup of the database: all of it, or nothing that is listed. The dump and the counts of its manifest are
 * read in one snapshot of the session whose identity was checked, so that the tool cannot have read another database.
 *
 * @throws BackupError
 * @throws IdentityError unless configuration and database name the same environment
 */
export async function createBackup(options: CreateOptions): Promise<BackupReport> {
  const database = { ...options.admin, database: options.app.database };
  const store = new BackupStore(options.storage, options.environment);
  const encrypt = createEncryption(options.recipients);
  return withClient(database, createContext(options, 'backup'), async (client) => {
    await assertIdentity(client, createClaim(options));
    await prepareSession(client);
    await holdLock(client, 'backup');
    const previous = await store.findReadable();
    const started = Date.now();
    const facts = await openSnapshot(client, options.tools);
    await store.sweep();
    await store.start(facts.name);
    const dumped = await withFile(options.sslCa, (caFile) =>
      storeDump({ store, database, caFile, facts, encrypt, options }),
    );
    await client.query('COMMIT');
    const { snapshot, ...described } = facts;
    void snapshot;
    const backup: BackupManifest = {
      format: 1,
      ...described,
      environment: options.environment,
      database: options.app.database,
      durationMs: Date.now() - started,
      ...dumped,
      isEncrypted: options.recipients.length > 0,
      doubts: previous ? findShrinkage(previous.contents, facts.contents) : [],
    };
    await store.finish(backup);
    const removed = await removeOld(client, { store, keep: options.keep });
    return { backup, removed, isRecorded: await recordStored(client, { backup, removed }) };
  });
}

interface SnapshotFacts extends Pick<
  BackupManifest,
  'name' | 'takenAt' | 'server' | 'tool' | 'databaseBytes' | 'contents' | 'roles'
> {
  readonly snapshot: string;
}

/** Opens the transaction that the dump reads in, and checks everything that could make the dump fail or be empty. */
async function openSnapshot(client: Client, folder: string | undefined): Promise<SnapshotFacts> {
  const major = Math.floor(
    Number((await ask<{ n: string }>(client, `SELECT current_setting('server_version_num') AS n`)).n) / 10_000,
  );
  const tool = await assertTools(major, folder);
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { snapshot, takenAt, systemIdentifier, databaseBytes } = await ask<{
    snapshot: string;
    takenAt: Date;
    systemIdentifier: string;
    databaseBytes: number;
  }>(
    client,
    `SELECT pg_catalog.pg_export_snapshot() AS snapshot, pg_catalog.now() AS "takenAt",
            system_identifier::text AS "systemIdentifier",
            pg_catalog.pg_database_size(pg_catalog.current_database())::float8 AS "databaseBytes"
       FROM pg_catalog.pg_control_system()`,
  );
  const contents: Contents = await readContents(client, await listTables(client));
  if (contents.migrations.length === 0)
    throw refuse(
      'empty-database',
      `database "${String(client.database)}": no migration was applied; expected a schema\n  airlock db migrate`,
    );
  const { roles } = await ask<{ roles: string[] }>(client, ROLES);
  const name = createBackupName(takenAt, randomBytes(4).toString('hex'));
  const server = { systemIdentifier, major };
  return { snapshot, name, takenAt: takenAt.toISOString(), server, tool, databaseBytes, contents, roles };
}

/** The roles that own objects of this database, have rights in it, or are named by its policies. */
const ROLES = `
  SELECT ARRAY(SELECT DISTINCT pg_catalog.pg_get_userbyid(refobjid)::text FROM pg_catalog.pg_shdepend
    WHERE refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
      AND dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    ORDER BY 1) AS roles`;

interface DumpInput {
  readonly store: BackupStore;
  readonly database: DatabaseAddress;
  readonly caFile: string | undefined;
  readonly facts: SnapshotFacts;
  readonly encrypt: ReturnType<typeof createEncryption>;
  readonly options: CreateOptions;
}

async function storeDump({
  store,
  database,
  caFile,
  facts,
  encrypt,
  options,
}: DumpInput): Promise<{ bytes: number; sha256: string }> {
  const { name, snapshot, contents } = facts;
  const { signal, tools: folder } = options;
  const args = [
    '--format=custom',
    '--compress=zstd',
    `--snapshot=${snapshot}`,
    '--no-password',
    '--lock-wait-timeout=60s',
  ];
  const dump = startTool('pg_dump', args, { address: database, caFile, signal, folder });
  const [tables, digest] = [new TableList(folder), new Checksum()];
  const source = async function* () {
    yield* tables.through(dump.output as AsyncIterable<Uint8Array>);
    // Before the storage sees the last byte: a dump that failed leaves nothing.
    await dump.ended;
    await tables.assertHas(Object.keys(contents.rows));
  };
  try {
    await store.putDump(name, digest.through(encrypt(source())), signal);
    return { bytes: digest.bytes, sha256: digest.sha256() };
  } catch (error) {
    await store.remove(name).catch(() => undefined);
    throw error;
  } finally {
    dump.stop();
    tables.stop();
  }
}

async function ask<T extends object>(client: Client, sql: string): Promise<T> {
  const { rows } = await client.query<T>(sql);
  return rows[0]!;
}
