import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { type DatabaseAddress, readProcessEnvironment } from '@airlock/config';
import { BackupError, type BackupProblem } from '../problems/backup-error.js';

export type ToolName = 'pg_dump' | 'pg_restore' | 'initdb' | 'postgres';

export interface ToolOptions {
  /** The folder of the program; the search path by default. */
  readonly folder: string | undefined;
  /** The database that the tool connects to, if any. */
  readonly address?: DatabaseAddress;
  /** The file with the certificate authority, for `verify-full`. */
  readonly caFile?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RunningTool {
  readonly output: Readable;
  readonly input: Writable;
  /** Fulfilled with exit code 0. @throws BackupError with the first error that the tool reports */
  readonly ended: Promise<void>;
  stop(): void;
}

const MAX_ERROR_LENGTH = 16_384;

/** Starts a program of PostgreSQL. */
export function startTool(name: ToolName, args: readonly string[], options: ToolOptions): RunningTool {
  const child = spawn(options.folder === undefined ? name : join(options.folder, name), args, {
    env: createEnvironment(options),
    stdio: 'pipe',
    signal: options.signal,
  });
  const problem = name === 'pg_dump' ? 'dump-failed' : 'restore-failed';
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (errors.length < MAX_ERROR_LENGTH) errors += text;
  });
  // A tool that has ended before its input is reported by its exit code.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => reject(describeStart(name, { cause, problem, folder: options.folder })));
    child.once('close', (code, signal) => {
      if (code === 0) return resolve();
      const reason = findError(errors) ?? `it ended with ${signal ?? `exit code ${code}`}`;
      reject(new BackupError(problem, `${name}: ${reason}`));
    });
  });
  // Observed here too: a caller may first wait for the output.
  ended.catch(() => undefined);
  // Read at once: Node throws away what is not read yet when a program ends.
  const output = child.stdout.pipe(new PassThrough());
  return { output, input: child.stdin, ended, stop: () => void child.kill() };
}

/**
 * Every field that libpq would otherwise look up in the process environment or in a file of the user. A connection
 * string is never passed: libpq would read parts of it that our own parser does not.
 */
function createEnvironment({ address, caFile }: ToolOptions): Record<string, string> {
  const base = { PATH: readProcessEnvironment()['PATH'] ?? '', LC_ALL: 'C', HOME: '/nonexistent' };
  if (!address) return base;
  return {
    ...base,
    PGHOST: address.host,
    PGPORT: String(address.port),
    PGUSER: address.user,
    PGPASSWORD: address.password.reveal(),
    PGDATABASE: address.database,
    PGSSLMODE: address.sslMode,
    PGCHANNELBINDING: address.sslMode === 'disable' ? 'disable' : 'require',
    PGREQUIREAUTH: 'scram-sha-256',
    PGCONNECT_TIMEOUT: '10',
    PGAPPNAME: 'airlock/backups',
    PGCLIENTENCODING: 'UTF8',
    ...(address.sslMode === 'verify-full' && { PGSSLROOTCERT: caFile ?? 'system' }),
  };
}

/** The first line of the first error, without values of rows. Later lines may quote rows. */
function findError(errors: string): string | undefined {
  const line = /^pg_(?:dump|restore): error: (.*)$/m.exec(errors)?.[1] ?? /^(.+)$/m.exec(errors)?.[1];
  return line
    ?.replace(
      /^(COPY failed for table ".*?": ERROR:)(?! +(?:could not extend|could not write|out of memory)).*$/,
      `$1 ${HIDDEN}`,
    )
    .replace(/^(could not execute query: ERROR: .*?(?:: |\bvalue ))".*$/, `$1${HIDDEN}`);
}

const HIDDEN = '(in the log of the server, because it may quote a row)';

function describeStart(
  name: ToolName,
  { cause, problem, folder }: { cause: Error; problem: BackupProblem; folder: string | undefined },
): BackupError {
  const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  if (!isMissing) return new BackupError(problem, `${name}: ${cause.message}`, { cause });
  const place =
    folder === undefined ? 'on PATH, and BACKUP_TOOLS is not set' : `in ${folder}, which BACKUP_TOOLS names`;
  const text = `${name}: is not ${place}; expected the programs of PostgreSQL`;
  return new BackupError('wrong-tools', `${text}\n  ${TOOLS_HINT}`, { cause, isRefusal: true });
}

export const TOOLS_HINT =
  "run the command in the release image, which contains them, or take those of the server's major version from its image:\n" +
  '  docs/runbooks/restore.md#the-programs-of-postgresql';
