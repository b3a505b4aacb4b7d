import type { DatabaseAddress, Environment, Secret } from '@airlock/config';
import { createSessionConfig } from '@airlock/database/sessions';
import type { StampedBackend } from '@airlock/storage';

export interface BackupOptions {
  /** A role that may read every row, and for a restore create databases. Connected to any database of the server. */
  readonly admin: DatabaseAddress;
  /** The database of this environment. */
  readonly app: DatabaseAddress;
  readonly environment: Environment;
  readonly sslCa?: string | undefined;
  readonly storage: StampedBackend;
  /** The folder of pg_dump and pg_restore; the search path by default. */
  readonly tools?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RestoreOptions extends BackupOptions {
  /** The migrations of this release. */
  readonly migrations: readonly { readonly name: string }[];
  /** Decrypts an encrypted backup. */
  readonly identity?: Secret | undefined;
}

export function createContext({ environment, sslCa }: Pick<BackupOptions, 'environment' | 'sslCa'>, purpose: string) {
  return { config: createSessionConfig(environment, sslCa), purpose };
}

/** The claim that `assertIdentity` compares with the stamp. */
export function createClaim({ environment, app }: Pick<BackupOptions, 'environment' | 'app'>) {
  return { expected: environment, config: { environment, database: { app } } };
}
