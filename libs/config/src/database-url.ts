import { AddressError, parseAddress } from './address.js';
import { Secret } from './secret.js';

export const SSL_MODES = ['disable', 'require', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: Secret;
  readonly database: string;
  readonly sslMode: SslMode;
}

const SHAPE = 'postgres://user:password@host:5432/database';

/** PostgreSQL cuts longer names off in silence. */
const MAX_NAME_BYTES = 63;

/**
 * The one parser of database addresses. URL parsers disagree on percent escapes, queries, fragments and commas, and two
 * readings of one text are two databases: whatever any of them reads differently is refused here. The result is used
 * field by field; the text goes nowhere else.
 *
 * @throws AddressError, which holds no part of the text
 */
export function parseDatabaseUrl(text: string, where: string): DatabaseAddress {
  const schemes = ['postgres', 'postgresql'];
  const { host, port, user, password, path, query } = parseAddress(text, where, {
    schemes,
    shape: SHAPE,
    credentials: 'required',
  });
  if (Buffer.byteLength(user) > MAX_NAME_BYTES) {
    throw new AddressError(where, `names a user of more than ${MAX_NAME_BYTES} bytes`, SHAPE);
  }
  const database = parseDatabaseName(path, where);
  return Object.freeze({
    host,
    port,
    user,
    password: new Secret(password),
    database,
    sslMode: parseSslMode(query, where),
  });
}

/** For people: everything but the password. */
export function describeDatabase({ host, port, user, database, sslMode }: DatabaseAddress): string {
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return `postgres://${encodeURIComponent(user)}:[redacted]@${shownHost}:${port}/${database}?sslmode=${sslMode}`;
}

function parseDatabaseName(path: string, where: string): string {
  if (path === '') throw new AddressError(where, 'names no database', SHAPE);
  if (/^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(path) && path.length <= MAX_NAME_BYTES) return path;
  const expected = `at most ${MAX_NAME_BYTES} letters, digits, _ and - after the last slash, without escapes`;
  throw new AddressError(where, 'has a database name that parsers read differently', expected);
}

function parseSslMode(query: string | undefined, where: string): SslMode {
  if (query === undefined) return 'disable';
  const mode = SSL_MODES.find((known) => query === `sslmode=${known}`);
  if (!mode) {
    throw new AddressError(
      where,
      'has an unknown query',
      `nothing after ? but sslmode=${SSL_MODES.join(' or sslmode=')}`,
    );
  }
  return mode;
}
