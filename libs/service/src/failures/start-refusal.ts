import type { Config } from '@airlock/config';
import { IdentityError, ServerError } from '@airlock/database';
import { readCode } from './database-failures.js';

/**
 * The reason why the process does not start, and the fix. It is shown without a stack, which would not help an
 * operator.
 */
export class StartRefusal extends Error {
  override readonly name = 'StartRefusal';
}

type Explain = (config: Config, error: Error) => string;

const PROVISION = '  airlock db provision   # creates roles and database from the configuration';
const CERTIFICATE = /^(CERT_|ERR_TLS|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_)/;

/** By the code of PostgreSQL or of Node. */
const explanations: Readonly<Record<string, Explain>> = {
  '28P01': ({ database }) =>
    `DATABASE_URL: ${where(database)} rejects the password of "${database.app.user}"; expected its current password\n${PROVISION}`,
  '28000': ({ database }) =>
    `DATABASE_URL: ${where(database)} rejects the role "${database.app.user}"; expected a role with CONNECT (see pg_hba.conf)\n${PROVISION}`,
  '3D000': ({ database }) =>
    `DATABASE_URL: ${where(database)} has no database "${database.app.database}"; expected a provisioned database\n${PROVISION}`,
  EADDRINUSE: ({ service }, error) =>
    `PORT: ${'port' in error ? String(error.port) : 'it'} is in use; expected a free port\n` +
    `  PORT=${service.port + 1} MANAGEMENT_PORT=${service.managementPort + 1}`,
};

/** @returns undefined for an unexpected error */
export function findRefusal(error: unknown, config: Config): StartRefusal | undefined {
  if (error instanceof StartRefusal) return error;
  if (!(error instanceof Error)) return undefined;
  const code = readCode(error) ?? '';
  const message =
    error instanceof IdentityError || error instanceof ServerError
      ? error.message
      : explanations[code]?.(config, error);
  const text = message ?? explainTls(error, code, config);
  return text === undefined ? undefined : new StartRefusal(text, { cause: error });
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
