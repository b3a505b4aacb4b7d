import { readFileSync } from 'node:fs';
import { type DatabaseAddress, type Environment, ENVIRONMENTS, maxDatabaseNameBytes, traitsOf } from '@airlock/config';
import type { Client } from 'pg';
import { withClient } from '../connect/client.js';
import { createSessionConfig } from '../connect/client-options.js';
import { readStamp, type Stamp } from '../identity/stamp.js';
import { chooseCopyStrategy } from './copy-strategy.js';
import { createScramVerifier } from './scram.js';

export interface ProvisionOptions {
  /**
   * A role that may create roles and databases, connected to any database of the server. Superuser rights are not
   * needed.
   */
  readonly admin: DatabaseAddress;
  readonly app: DatabaseAddress;
  readonly migration: DatabaseAddress;
  readonly environment: Environment;
  /** The full name of an existing database with contents that `environment` adopts. */
  readonly adopt?: string | undefined;
  readonly sslCa?: string | undefined;
}

export interface ProvisionReport {
  readonly database: string;
  readonly created: boolean;
  readonly stamp: Stamp;
  /** Steps that the server refused, such as event triggers without superuser rights. */
  readonly warnings: readonly string[];
}

/** The database was not changed. */
export class ProvisionError extends Error {
  override readonly name = 'ProvisionError';
  readonly exitCode = 3;
}

/** Creates roles, database, grants and stamp. Safe to repeat: repairs differences and resets the passwords. */
export async function provision(options: ProvisionOptions): Promise<ProvisionReport> {
  assertSameServer(options);
  assertRoomForDerivedNames(options);
  const database = options.app.database;
  const context = { config: createSessionConfig(options.environment, options.sslCa), purpose: 'provision' };
  return withClient(options.admin, context, async (admin) => {
    // Roles belong to the whole server, so runs for different databases must not overlap either.
    await admin.query(LOCK_SERVER);
    const created = await createDatabase(admin, database);
    const report = await withClient({ ...options.admin, database }, context, (client) =>
      runBootstrap(client, createParameters(options)),
    );
    if (traitsOf(options.environment).mayBeReset) await createTemplate(admin, options);
    return { database, created, ...report };
  });
}

/**
 * Makes an existing database with contents one of `environment`, in one transaction with `rest`, which gets the session of
 * the administrator. If anything fails, nothing is changed.
 */
export async function provisionExisting(
  client: Client,
  options: ProvisionOptions,
  rest: () => Promise<void>,
): Promise<{ stamp: Stamp; warnings: readonly string[] }> {
  assertSameServer(options);
  assertRoomForDerivedNames(options);
  await client.query(LOCK_SERVER);
  return runBootstrap(client, { ...createParameters(options), adopt: options.app.database }, rest);
}

/** A second database of the same roles, for a refresh: new and empty, stamped for its own name. */
export async function provisionBeside(options: ProvisionOptions, database: string): Promise<void> {
  const owner = `${options.app.database}_owner`;
  const context = { config: createSessionConfig(options.environment, options.sslCa), purpose: 'provision' };
  await withClient(options.admin, context, async (admin) => {
    await admin.query(LOCK_SERVER);
    await createDatabase(admin, database);
  });
  await withClient({ ...options.admin, database }, context, (client) =>
    runBootstrap(client, { ...createParameters(options), owner }),
  );
}

/** Stamps a clone of the database for its own name, with the same roles. */
export async function adoptBeside(options: ProvisionOptions, database: string): Promise<void> {
  const owner = `${options.app.database}_owner`;
  const context = { config: createSessionConfig(options.environment, options.sslCa), purpose: 'provision' };
  await withClient({ ...options.admin, database }, context, async (client) => {
    await client.query(LOCK_SERVER);
    await runBootstrap(client, { ...createParameters(options), owner, adopt: database });
  });
}

/** The template that the guarded reset clones: a test database right after provisioning. It accepts no connections. */
async function createTemplate(admin: Client, options: ProvisionOptions): Promise<void> {
  const template = `${options.app.database}_tpl`;
  const owner = `${options.app.database}_owner`;
  const isComplete = 'SELECT FROM pg_catalog.pg_database WHERE datname = $1 AND datistemplate AND NOT datallowconn';
  if ((await admin.query(isComplete, [template])).rowCount) return;
  await createDatabase(admin, template);
  const context = { config: createSessionConfig(options.environment, options.sslCa), purpose: 'provision' };
  await withClient({ ...options.admin, database: template }, context, (client) =>
    runBootstrap(client, { ...createParameters(options), owner }),
  );
  await admin.query(`SET ROLE ${admin.escapeIdentifier(owner)}`);
  await admin.query(`ALTER DATABASE ${admin.escapeIdentifier(template)} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`);
  await admin.query('RESET ROLE');
}

/** The SQL that creates a database, shared by `docker/postgres`, which uses psql, and `provision`, which uses pg. */
export function readBootstrapSql(): string {
  return readFileSync(new URL('./bootstrap.sql', import.meta.url), 'utf8');
}

export function assertSameServer({ admin, app, migration }: ProvisionOptions): void {
  const server = ({ host, port }: DatabaseAddress) => `${host}:${port}`;
  if (server(app) !== server(admin) || server(migration) !== server(admin) || migration.database !== app.database) {
    throw new ProvisionError(
      `DATABASE_URL ${server(app)}/${app.database}, DATABASE_MIGRATION_URL ${server(migration)}/${migration.database}, ` +
        `DATABASE_ADMIN_URL ${server(admin)}: do not name one database; expected the same host, port and database\n` +
        '  airlock config print   # shows where each address comes from',
    );
  }
}

/**
 * Checked before anything is created: PostgreSQL truncates long names, and the result may name another database or
 * role.
 */
function assertRoomForDerivedNames({ app: { database }, environment }: ProvisionOptions): void {
  const [bytes, most] = [Buffer.byteLength(database), maxDatabaseNameBytes(environment)];
  if (bytes <= most) return;
  throw new ProvisionError(
    `database "${database}": its name has ${bytes} bytes; expected at most ${most} in ${environment}, which leaves room for the names derived from it\n` +
      '  Give the database a shorter name in DATABASE_URL and DATABASE_MIGRATION_URL.',
  );
}

/**
 * PostgreSQL's builtin collation, so that an index sorts the same on every operating system.
 *
 * @returns false if the database exists, which is not changed
 */
export async function createDatabase(admin: Client, database: string): Promise<boolean> {
  const { rowCount } = await admin.query('SELECT FROM pg_catalog.pg_database WHERE datname = $1', [database]);
  if (rowCount) return false;
  await admin.query(
    `CREATE DATABASE ${admin.escapeIdentifier(database)} TEMPLATE template0 STRATEGY ${await chooseCopyStrategy(admin)} ENCODING 'UTF8'
       LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C'`,
  );
  await assertNothingRunsAtLogin(admin, database);
  return true;
}

/** Contents of template0 are copied to every new database, and would run as the administrator who connects next. */
async function assertNothingRunsAtLogin(admin: Client, database: string): Promise<void> {
  const { rows } = await admin.query<{ runs: boolean }>(
    'SELECT dathasloginevt AS runs FROM pg_catalog.pg_database WHERE datname = $1',
    [database],
  );
  if (!rows[0]?.runs) return;
  await admin.query(`DROP DATABASE ${admin.escapeIdentifier(database)}`);
  throw new ProvisionError(
    `database "${database}": template0 of this server runs an event trigger when a session opens; expected an empty template\n` +
      '  An administrator must find out who changed template0, drop the objects in it, and open one more session there.',
  );
}

async function runBootstrap(
  client: Client,
  parameters: Record<string, string>,
  rest?: () => Promise<void>,
): Promise<{ stamp: Stamp; warnings: string[] }> {
  const warnings: string[] = [];
  client.on('notice', ({ severity, message }) => severity === 'WARNING' && message && warnings.push(message));
  await client.query('BEGIN');
  try {
    const stamp = await bootstrap(client, parameters);
    await rest?.();
    await client.query('COMMIT');
    return { stamp, warnings };
  } catch (error) {
    // A lost session has rolled back already.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function bootstrap(client: Client, parameters: Record<string, string>): Promise<Stamp> {
  try {
    for (const [name, value] of Object.entries(parameters)) {
      await client.query('SELECT pg_catalog.set_config($1, $2, true)', [`provision.${name}`, value]);
    }
    await client.query(readBootstrapSql());
    return (await readStamp(client))!;
  } catch (error) {
    throw toProvisionError(error);
  }
}

function createParameters({ environment, app, migration, adopt = '' }: ProvisionOptions): Record<string, string> {
  const { isDisposable, mayBeReset } = traitsOf(environment);
  const word = (isAllowed: boolean) => (isAllowed ? 'on' : '');
  return {
    environment,
    environments: ENVIRONMENTS.join(','),
    may_be_reset: word(mayBeReset),
    is_disposable: word(isDisposable),
    app_user: app.user,
    app_password: createScramVerifier(app.password.reveal()),
    migrator_user: migration.user,
    migrator_password: createScramVerifier(migration.password.reveal()),
    adopt,
  };
}

/** Refusals of the bootstrap text have their fix as the hint; other server errors are passed on unchanged. */
function toProvisionError(error: unknown): unknown {
  const { code, message, hint } = error as { code?: string; message: string; hint?: string };
  if (code !== '42501' && code !== '22023') return error;
  return new ProvisionError(hint ? `${message}\n  ${hint}` : message, { cause: error });
}

const LOCK_SERVER = `SELECT pg_catalog.pg_advisory_lock(pg_catalog.hashtextextended('airlock/provision/server', 0))`;
