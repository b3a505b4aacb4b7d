import { hostname } from 'node:os';
import { type DatabaseAddress, type Environment, traitsOf } from '@airlock/config';
import type { ClientConfig } from 'pg';
import { MIN_SCRAM_ITERATIONS } from '../wire/guarded-client.js';

const SECOND = 1000;
const NAME_LIMIT = 63;

/** The part of the config that a session is made from; a whole `Config` fits. */
export interface SessionConfig {
  readonly environment: Environment;
  readonly service: { readonly name: string };
  readonly database: {
    readonly sslCa: string | undefined;
    readonly connectTimeoutMs: number;
    readonly statementTimeoutMs: number;
    readonly lockTimeoutMs: number;
    readonly idleInTransactionTimeoutMs: number;
  };
}

export interface ClientContext {
  readonly config: SessionConfig;
  /** What the session is for: `api`, `migrate`, `provision` … */
  readonly purpose: string;
  /** For a session that must not trust a server of tests any more than another; see `createClientOptions`. */
  readonly isStrict?: boolean;
}

/** A `ClientConfig` in which nothing is left for pg to take from the environment or out of a text. */
export type DiscreteOptions = Readonly<
  Required<Pick<ClientConfig, 'host' | 'port' | 'user' | 'password' | 'database' | 'application_name' | 'ssl'>>
> &
  Readonly<Omit<ClientConfig, 'connectionString' | 'stream'>> & {
    readonly connectionString?: never;
    readonly scramMinIterations: number;
  };

/**
 * The options of every session. pg takes each field that is absent or empty from a PG* variable, so that a shell which
 * exports PGHOST or PGOPTIONS would decide where the session goes: here each of these fields has a value.
 */
export function createClientOptions(
  address: DatabaseAddress,
  { config, purpose, isStrict }: ClientContext,
): DiscreteOptions {
  const { database } = config;
  return {
    host: address.host,
    port: address.port,
    user: address.user,
    password: address.password.reveal(),
    database: address.database,
    ssl: createSslOptions(address, database.sslCa),
    application_name: createApplicationName(config, purpose),
    connectionTimeoutMillis: database.connectTimeoutMs,
    statement_timeout: database.statementTimeoutMs,
    lock_timeout: database.lockTimeoutMs,
    idle_in_transaction_session_timeout: database.idleInTransactionTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10 * SECOND,
    client_encoding: 'UTF8',
    sslnegotiation: 'postgres',
    options: '-c search_path=public -c TimeZone=UTC',
    // Servers that live as long as a test run store their random passwords with one iteration.
    scramMinIterations: traitsOf(config.environment).mayBeReset && !isStrict ? 1 : MIN_SCRAM_ITERATIONS,
    ...IGNORE_PGREPLICATION,
  };
}

/** Sessions that belong to no service, such as those of an administrator, have no config to take their limits from. */
export function createSessionConfig(environment: Environment, sslCa?: string): SessionConfig {
  return {
    environment,
    service: { name: 'airlock' },
    database: {
      sslCa,
      connectTimeoutMs: 5 * SECOND,
      statementTimeoutMs: 60 * SECOND,
      lockTimeoutMs: 10 * SECOND,
      idleInTransactionTimeoutMs: 60 * SECOND,
    },
  };
}

/** pg sends this word as it is and the server reads it as a boolean; an empty one would be taken from PGREPLICATION. */
const IGNORE_PGREPLICATION = { replication: 'false' };

function createSslOptions(
  { host, sslMode }: DatabaseAddress,
  ca: string | undefined,
): NonNullable<ClientConfig['ssl']> {
  switch (sslMode) {
    case 'disable':
      return false;
    case 'require':
      return { rejectUnauthorized: false };
    case 'verify-full':
      return { rejectUnauthorized: true, host, ...(ca && { ca }) };
  }
}

/** Service, environment and instance; the server cuts longer names, and the host name is what may be cut. */
function createApplicationName({ service, environment }: SessionConfig, purpose: string): string {
  return `${service.name}/${environment}/${purpose}@${hostname()}:${process.pid}`.slice(0, NAME_LIMIT);
}
