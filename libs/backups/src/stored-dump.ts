import { pipeline } from 'node:stream/promises';
import type { DatabaseAddress } from '@airlock/config';
import { BackupError, refuse } from './problems/backup-error.js';
import type { RestoreOptions } from './backup-options.js';
import { BackupStore } from './backup-store.js';
import { decrypt, requireKey } from './encryption.js';
import type { BackupManifest } from './manifest.js';
import { type Bytes, Checksum, drain } from './tools/streams.js';
import { startTool } from './tools/start-tool.js';
import { TableList } from './tools/table-list.js';
import { withFile } from './tools/with-file.js';

export type DumpOptions = Omit<RestoreOptions, 'admin' | 'app'>;

/**
 * Reads everything once, before anything is created.
 *
 * @param isSealed for a server that may reach no other: a dump that names one is refused, and a role without rights restores it
 * @throws BackupError
 */
export async function verifyDump(
  backup: BackupManifest,
  options: DumpOptions,
  { isSealed = false }: { isSealed?: boolean } = {},
): Promise<StoredDump> {
  assertKnown(backup, options.migrations);
  if (backup.isEncrypted) requireKey(options.identity);
  const dump = new StoredDump(backup, { ...options, isSealed });
  await dump.verify();
  return dump;
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

/** Leaves out entries that only a superuser, or their own role, may restore. */
const AS_ONE_ROLE = ['--no-owner', '--no-privileges', '--no-comments', '--no-publications', '--no-security-labels'];

/** The stored bytes of a backup. */
export class StoredDump {
  readonly #backup: BackupManifest;
  readonly #options: DumpOptions & { readonly isSealed: boolean };
  readonly #store: BackupStore;
  /** Of the entries to restore; all by default. */
  #list: string | undefined;

  constructor(backup: BackupManifest, options: DumpOptions & { readonly isSealed: boolean }) {
    this.#backup = backup;
    this.#options = options;
    this.#store = new BackupStore(options.storage, options.environment);
  }

  async verify(): Promise<void> {
    const tables = new TableList(this.#options.tools);
    try {
      // The checksum first: a damaged dump must have that name, not that of a tool which stumbles over it.
      await this.#read(drain);
      await this.#read((source) => drain(tables.through(this.#decrypted(source))));
      await tables.assertHas(Object.keys(this.#backup.contents.rows));
      if (!this.#options.isSealed) return;
      await tables.assertSealed(this.#backup.name);
      this.#list = await tables.listPlain();
    } finally {
      tables.stop();
    }
  }

  /** Into an empty database. */
  async load(address: DatabaseAddress): Promise<void> {
    const { sslCa, signal, tools: folder, isSealed } = this.#options;
    const args = ['--exit-on-error', '--no-tablespaces', '--no-password', `--dbname=${address.database}`];
    if (isSealed) args.push(...AS_ONE_ROLE);
    const run = async (caFile: string | undefined, listFile: string | undefined) => {
      if (listFile !== undefined) args.push(`--use-list=${listFile}`);
      const tool = startTool('pg_restore', args, { address, caFile, signal, folder });
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
    };
    await withFile(sslCa, (caFile) => withFile(this.#list, (listFile) => run(caFile, listFile)));
  }

  /** @throws BackupError after the last byte, unless all are those of the manifest */
  async #read<T>(use: (source: Bytes) => Promise<T>): Promise<T> {
    const { name, bytes } = this.#backup;
    const dump = await this.#store.openDump(name).catch((cause: unknown) => {
      if ((cause as { kind?: string }).kind !== 'missing') throw cause;
      throw new BackupError('missing-dump', `${name}: has a manifest and no dump; expected ${bytes} bytes`, { cause });
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
    if (digest.bytes < bytes)
      throw new BackupError('truncated-dump', `${name}: its dump has ${digest.bytes} bytes; expected ${bytes}`);
    if (digest.sha256() !== sha256)
      throw new BackupError('damaged', `${name}: its dump has another checksum than its manifest; expected ${sha256}`);
  }

  #decrypted(source: Bytes): Bytes {
    return this.#backup.isEncrypted ? decrypt(source, this.#options.identity) : source;
  }
}
