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
  /** Purpose of the session: `api`, `migrate`, `provision` … */
  readonly purpose: string;
  /** For a session that must not trust a test server more than any other; see `createClientOptions`. */
  readonly isStrict?: boolean;
}

/** A `ClientConfig` in which pg finds no field to fill from the environment or from a connection string. */
export type DiscreteOptions = Readonly<
  Required<Pick<ClientConfig, 'host' | 'port' | 'user' | 'password' | 'database' | 'application_name' | 'ssl'>>
> &
  Readonly<Omit<ClientConfig, 'connectionString' | 'stream'>> & {
    readonly connectionString?: never;
    readonly scramMinIterations: number;
  };

/**
 * The options of every session. pg fills each absent or empty field from a PG* variable, so an exported PGHOST or
 * PGOPTIONS could redirect the session. Each of these fields therefore has a value.
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
    // Test servers, which live for one run, store their random passwords with one iteration.
    scramMinIterations: traitsOf(config.environment).mayBeReset && !isStrict ? 1 : MIN_SCRAM_ITERATIONS,
    ...IGNORE_PGREPLICATION,
  };
}

/** For sessions of no service, such as those of an administrator: they have no config with limits. */
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

/**
 * pg sends this text unchanged and the server reads it as a boolean. An empty one would be replaced by PGREPLICATION.
 */
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

/** Service, environment and instance. The server truncates longer names, so the host name comes last. */
function createApplicationName({ service, environment }: SessionConfig, purpose: string): string {
  return `${service.name}/${environment}/${purpose}@${hostname()}:${process.pid}`.slice(0, NAME_LIMIT);
}
