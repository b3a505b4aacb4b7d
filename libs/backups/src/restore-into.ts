import { pipeline } from 'node:stream/promises';
import { createDatabase, findBrokenBindings, readLocation, readStamp, withClient } from '@airlock/database/sessions';
import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
import { BackupError, refuse } from './problems/backup-error.js';
import { createContext, type RestoreOptions } from './backup-options.js';
import { BackupStore } from './backup-store.js';
import { findDifferences } from './contents/contents.js';
import { listTables, prepareSession, readContents } from './contents/read-contents.js';
import { decrypt, requireKey } from './encryption.js';
import type { BackupManifest } from './manifest.js';
import { type Bytes, Checksum, drain } from './tools/streams.js';
import { assertTools } from './tools/assert-tools.js';
import { startTool } from './tools/start-tool.js';
import { TableList } from './tools/table-list.js';
import { withCaFile } from './tools/with-ca-file.js';

export interface RestoreInput {
  /** A session of the administrator in another database of the server. */
  readonly admin: Client;
  readonly backup: BackupManifest;
  /** A new name. */
  readonly database: string;
  readonly options: RestoreOptions;
  /** Of the database, from its beginning. */
  readonly comment: string;
}

/**
 * Restores a backup into a new database, and compares the two. No role but its owner may connect to it, and its stamp is
 * still that of the original, so no process starts on it. If anything fails, the caller drops it.
 *
 * @throws BackupError
 */
export async function restoreInto({ admin, backup, database, options, comment }: RestoreInput): Promise<void> {
  assertKnown(backup, options.migrations);
  if (backup.isEncrypted) requireKey(options.identity);
  await assertTools(await readMajor(admin), options.tools);
  const dump = new Dump(backup, options);
  await dump.verify();
  await createDatabase(admin, database);
  await admin.query(`COMMENT ON DATABASE ${escapeIdentifier(database)} IS ${escapeLiteral(comment)}`);
  await admin.query(`REVOKE ALL ON DATABASE ${escapeIdentifier(database)} FROM PUBLIC`);
  await createMissingRoles(admin, backup.roles);
  await dump.load(database);
  await assertRestored({ backup, database, options });
}

/** The release that restores must be able to serve what it restores. */
function assertKnown({ name, contents }: BackupManifest, migrations: RestoreOptions['migrations']): void {
  const known = new Set(migrations.map((migration) => migration.name));
  const unknown = contents.migrations.filter((migration) => !known.has(migration.name));
  if (unknown.length === 0) return;
  throw refuse(
    'unknown-migrations',
    `${name}: has the migration ${unknown.at(-1)?.name}, which this release does not contain; expected a release that does\n` +
      '  run the command in the newest release image',
  );
}

/** The stored bytes of a backup. */
class Dump {
  readonly #backup: BackupManifest;
  readonly #options: RestoreOptions;
  readonly #store: BackupStore;

  constructor(backup: BackupManifest, options: RestoreOptions) {
    this.#backup = backup;
    this.#options = options;
    this.#store = new BackupStore(options.storage, options.environment);
  }

  /** Reads everything once, before a database is created. */
  async verify(): Promise<void> {
    const tables = new TableList(this.#options.tools);
    try {
      // The checksum first: a damaged dump must have that name, not that of a tool which stumbles over it.
      await this.#read(drain);
      await this.#read((source) => drain(tables.through(this.#decrypted(source))));
      await tables.assertHas(Object.keys(this.#backup.contents.rows));
    } finally {
      tables.stop();
    }
  }

  async load(database: string): Promise<void> {
    const { admin, sslCa, signal, tools: folder } = this.#options;
    await withCaFile(sslCa, async (caFile) => {
      const args = ['--exit-on-error', '--no-tablespaces', '--no-password', `--dbname=${database}`];
      const tool = startTool('pg_restore', args, { address: { ...admin, database }, caFile, signal, folder });
      try {
        tool.output.resume();
        // A tool that fails closes its input; its own error says why, unless the dump itself failed.
        await this.#read((source) => pipeline(this.#decrypted(source), tool.input)).catch(async (error: unknown) => {
          if (!(error instanceof BackupError)) await tool.ended;
          throw error;
        });
        await tool.ended;
      } finally {
        tool.stop();
      }
    });
  }

  /** @throws BackupError damaged after the last byte, unless all are those of the manifest */
  async #read<T>(use: (source: Bytes) => Promise<T>): Promise<T> {
    const { name, bytes } = this.#backup;
    const dump = await this.#store.openDump(name).catch((cause: unknown) => {
      if ((cause as { kind?: string }).kind !== 'missing') throw cause;
      throw new BackupError('damaged', `${name}: its dump is missing; expected ${bytes} bytes`, { cause });
    });
    try {
      return await use(this.#compared(this.#stored(dump)));
    } finally {
      dump.destroy();
    }
  }

  async *#stored(dump: Bytes): AsyncGenerator<Uint8Array> {
    try {
      yield* dump;
    } catch (cause) {
      const text = `${this.#store.description}: stopped while ${this.#backup.name} was read: ${(cause as Error).message}`;
      throw new BackupError('lost-storage', text, { cause });
    }
  }

  async *#compared(source: Bytes): AsyncGenerator<Uint8Array> {
    const { name, bytes, sha256 } = this.#backup;
    const digest = new Checksum();
    for await (const chunk of digest.through(source)) {
      this.#options.signal?.throwIfAborted();
      yield chunk;
    }
    if (digest.bytes !== bytes)
      throw new BackupError('damaged', `${name}: its dump has ${digest.bytes} bytes; expected ${bytes}`);
    if (digest.sha256() !== sha256)
      throw new BackupError('damaged', `${name}: its dump has another checksum than its manifest; expected ${sha256}`);
  }

  #decrypted(source: Bytes): Bytes {
    return this.#backup.isEncrypted ? decrypt(source, this.#options.identity) : source;
  }
}

/** They cannot log in. `airlock db provision --adopt` gives a login to those that the configuration names. */
async function createMissingRoles(admin: Client, roles: readonly string[]): Promise<void> {
  const { rows } = await admin.query<{ name: string }>(
    `SELECT name FROM pg_catalog.unnest($1::text[]) AS name WHERE name NOT IN (SELECT rolname FROM pg_catalog.pg_roles)`,
    [roles],
  );
  for (const { name } of rows) await admin.query(`CREATE ROLE ${escapeIdentifier(name)} NOLOGIN`);
}

async function assertRestored({
  backup,
  database,
  options,
}: Pick<RestoreInput, 'backup' | 'database' | 'options'>): Promise<void> {
  const restored = { ...options.admin, database };
  await withClient(restored, createContext(options, 'restore'), async (client) => {
    await prepareSession(client);
    const contents = await readContents(client, await listTables(client));
    const stamp = await readStamp(client);
    // By server and number: it is still to get its name, which may be that of the original on another server.
    const here = { ...(await readLocation(client)), databaseName: stamp?.databaseName ?? '' };
    const differences = [
      ...findDifferences(backup.contents, contents),
      ...(stamp?.environment === backup.environment
        ? []
        : [`the stamp is ${stamp?.environment ?? 'missing'}, and the backup is of ${backup.environment}`]),
      ...(stamp && findBrokenBindings(stamp, here).length === 0 ? ['its stamp says that it is an original'] : []),
    ];
    if (differences.length === 0) return;
    const text = `${backup.name}: the restored database differs; expected what was backed up`;
    throw new BackupError('differs', [text, ...differences.map((line) => `  ${line}`)].join('\n'));
  });
}

async function readMajor(client: Client): Promise<number> {
  const { rows } = await client.query<{ version: string }>(
    `SELECT pg_catalog.current_setting('server_version_num') AS version`,
  );
  return Math.floor(Number(rows[0]?.version) / 10_000);
}
