import { spawn, type StdioOptions } from 'node:child_process';
import type { DatabaseAddress } from '@airlock/config';

export interface LibpqCommand {
  readonly address: DatabaseAddress;
  /** A certificate authority's file, for `verify-full`. */
  readonly sslCaFile?: string;
  readonly args: readonly string[];
  readonly stdio?: StdioOptions;
  /** What the tool is looked up in and speaks; nothing else is handed on. */
  readonly inherited?: { readonly PATH?: string | undefined };
}

export type LibpqTool = 'psql' | 'pg_dump' | 'pg_restore' | 'pg_dumpall' | 'pg_isready' | 'pg_basebackup';

/** The tool ran and said no. */
export class LibpqToolError extends Error {
  override readonly name = 'LibpqToolError';
  readonly exitCode = 1;
}

/**
 * Runs a tool of libpq on exactly the database that every session of ours goes to. libpq fills what is missing from PG*
 * variables, service files and ~/.pgpass: the child gets an environment made from nothing, in which all of it is said.
 */
export async function runLibpqTool(
  tool: LibpqTool,
  command: LibpqCommand,
): Promise<{ stdout: string; stderr: string }> {
  const { args, stdio = ['ignore', 'pipe', 'pipe'] } = command;
  const child = spawn(tool, [...args], { env: createLibpqEnvironment(command), stdio });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (cause) =>
      reject(new LibpqToolError(`${tool}: ${cause.message}; expected it on PATH`, { cause })),
    );
    child.on('close', resolve);
  });
  if (exitCode === 0) return { stdout, stderr };
  throw new LibpqToolError(`${tool}: ended with ${exitCode ?? 'a signal'}; ${stderr.trim()}`);
}

/** Every variable that libpq would otherwise find somewhere. The password is in no argument, which all processes see. */
export function createLibpqEnvironment({ address, sslCaFile, inherited = {} }: LibpqCommand): Record<string, string> {
  const { host, port, user, password, database, sslMode } = address;
  return {
    PATH: inherited.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    LC_ALL: 'C.UTF-8',
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password.reveal(),
    PGDATABASE: database,
    PGSSLMODE: sslMode,
    // As every session of ours: no password in clear text or as an MD5 hash, whatever the server asks for.
    PGREQUIREAUTH: 'scram-sha-256',
    PGAPPNAME: 'airlock/libpq',
    PGCONNECT_TIMEOUT: '10',
    PGCLIENTENCODING: 'UTF8',
    PGPASSFILE: '/dev/null',
    PGSERVICEFILE: '/dev/null',
    PGSYSCONFDIR: '/nonexistent',
    PSQLRC: '/dev/null',
    HOME: '/nonexistent',
    ...(sslCaFile && { PGSSLROOTCERT: sslCaFile }),
  };
}
