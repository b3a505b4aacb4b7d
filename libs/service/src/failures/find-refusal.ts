import type { Config } from '@airlock/config';
import { IdentityError, ServerError } from '@airlock/database';
import { StorageError } from '@airlock/storage';
import { readCode } from './database-failures.js';
import { StartRefusal } from './start-refusal.js';

type Explain = (config: Config) => string;

const PROVISION = '  airlock db provision   # creates roles and database from the configuration';
const CERTIFICATE = /^(CERT_|ERR_TLS|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_)/;

/** By the code of PostgreSQL. */
const explanations: Readonly<Record<string, Explain>> = {
  '28P01': ({ database }) =>
    `DATABASE_URL: ${where(database)} rejects the password of "${database.app.user}"; expected its current password\n${PROVISION}`,
  '28000': ({ database }) =>
    `DATABASE_URL: ${where(database)} rejects the role "${database.app.user}"; expected a role with CONNECT (see pg_hba.conf)\n${PROVISION}`,
  '3D000': ({ database }) =>
    `DATABASE_URL: ${where(database)} has no database "${database.app.database}"; expected a provisioned database\n${PROVISION}`,
};

/** Of a server that cannot listen, by the code of Node. */
const listenExplanations: Readonly<Record<string, (failed: ListenError, name: string) => string>> = {
  EADDRINUSE: ({ port = 0 }, name) =>
    `${name}: ${port} is in use; expected a free port\n  set ${name} to another port, or stop the process that uses ${port}`,
  EACCES: ({ port = 0 }, name) =>
    `${name}: ${port} needs a privilege that this process does not have; expected a port from 1024\n  set ${name} to a port from 1024 to 65535`,
  EADDRNOTAVAIL: refuseAddress,
  // Such as an IPv6 address on a machine without IPv6.
  EAFNOSUPPORT: refuseAddress,
};

interface ListenError extends Error {
  /** Not set for port 0. */
  readonly port?: number;
  readonly address?: string;
}

function refuseAddress({ address }: ListenError): string {
  return `HOST: ${address ?? 'it'} is not an address of this machine; expected one of its addresses\n  HOST=127.0.0.1   # or 0.0.0.0, which means all of them`;
}

/** @returns undefined for an unexpected error */
export function findRefusal(error: unknown, config: Config): StartRefusal | undefined {
  if (error instanceof StartRefusal) return error;
  if (!(error instanceof Error)) return undefined;
  const code = readCode(error) ?? '';
  const isRefused = error instanceof StorageError && error.kind === 'refused';
  const message =
    isRefused || error instanceof IdentityError || error instanceof ServerError
      ? error.message
      : explanations[code]?.(config);
  const text = message ?? explainListen(error, code, config) ?? explainTls(error, code, config);
  return text === undefined ? undefined : new StartRefusal(text, { cause: error });
}

/** A valid configuration has two different ports, or 0, which is never in use. */
function explainListen(error: Error, code: string, { service }: Config): string | undefined {
  if (!isListenError(error)) return undefined;
  return listenExplanations[code]?.(error, error.port === service.managementPort ? 'MANAGEMENT_PORT' : 'PORT');
}

/** A worker of a cluster gets `bind` from its supervisor. Connections have the same codes. */
function isListenError(error: Error): error is ListenError {
  return 'syscall' in error && (error.syscall === 'listen' || error.syscall === 'bind');
}

function explainTls(error: Error, code: string, { database }: Config): string | undefined {
  if (error.message.startsWith('The server does not support SSL')) {
    return `DATABASE_URL: ${where(database)} does not support TLS, which sslmode=${database.app.sslMode} requires; expected a server with TLS\n  ssl = on   # in postgresql.conf`;
  }
  if (!CERTIFICATE.test(code)) return undefined;
  return `DATABASE_SSL_CA: the certificate of ${where(database)} is not trusted (${code}); expected one signed by this authority\n  airlock config print   # shows where DATABASE_SSL_CA is set`;
}

function where({ app }: Config['database']): string {
  return `${app.host}:${app.port}`;
}
