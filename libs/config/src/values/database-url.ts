import { type Fail, parseAddress } from './address.js';
import { isPoolerHost } from './poolers.js';
import { Secret } from './secret-value.js';

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

const DIRECT = 'the host of PostgreSQL itself, see docs/poolers.md';

/** PostgreSQL silently truncates longer names. */
const MAX_NAME_BYTES = 63;

/**
 * The only parser of database addresses. URL parsers disagree on percent escapes, queries, fragments and commas, so one
 * text could mean two databases. This parser rejects every text that others read differently. Only the parsed fields
 * are used, never the text.
 *
 * @throws AddressError, which holds no part of the text
 */
export function parseDatabaseUrl(text: string, where: string): DatabaseAddress {
  const { password, path, query, ...parts } = parseAddress(text, where, {
    schemes: ['postgres', 'postgresql'],
    shape: SHAPE,
    credentials: 'required',
    checkUser,
    checkHost,
    readPath: readDatabaseName,
    readQuery: readSslMode,
  });
  return Object.freeze({ ...parts, password: new Secret(password), database: path, sslMode: query });
}

/** Describes the address without the password. */
export function describeDatabase({ host, port, user, database, sslMode }: DatabaseAddress): string {
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return `postgres://${encodeURIComponent(user)}:[redacted]@${shownHost}:${port}/${database}?sslmode=${sslMode}`;
}

function checkUser(user: string, fail: Fail): void {
  if (Buffer.byteLength(user) > MAX_NAME_BYTES) fail(`names a user of more than ${MAX_NAME_BYTES} bytes`);
}

function checkHost(host: string, fail: Fail): void {
  if (isPoolerHost(host)) fail('names the host of a connection pooler', DIRECT);
}

function readDatabaseName(path: string, fail: Fail): string {
  if (path === '') return fail('names no database');
  if (/^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(path) && path.length <= MAX_NAME_BYTES) return path;
  const expected = `at most ${MAX_NAME_BYTES} letters, digits, _ and - after the last slash, without escapes`;
  return fail('has a database name that parsers read differently', expected);
}

function readSslMode(query: string | undefined, fail: Fail): SslMode {
  if (query === undefined) return 'disable';
  const mode = SSL_MODES.find((known) => query === `sslmode=${known}`);
  if (mode) return mode;
  const expected = `nothing after ? but sslmode=${SSL_MODES.join(' or sslmode=')}`;
  return fail(`has ${describeParameters(query)} in its query`, expected);
}

/** Shows only well-known names, because other names may be part of a secret. */
function describeParameters(query: string): string {
  const names = query.split('&').map((part) => part.split('=')[0] ?? '');
  const others = names.filter((name) => name !== 'sslmode');
  const modes = names.length - others.length;
  const named = [...new Set(others.map((name) => (PARAMETERS.includes(name) ? name : 'an unknown parameter')))];
  const isWrong = modes === 1 && !SSL_MODES.some((known) => query.split('&').includes(`sslmode=${known}`));
  return [...named, ...(modes > 1 ? ['sslmode twice'] : isWrong ? ['another sslmode'] : [])].join(' and ');
}

/** Parameters of libpq, drivers and providers that their documents use in addresses. */
const PARAMETERS =
  `host hostaddr port dbname user password passfile service servicefile options application_name fallback_application_name
  client_encoding connect_timeout keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout
  target_session_attrs load_balance_hosts channel_binding require_auth gssencmode krbsrvname gsslib replication ssl
  sslnegotiation sslcompression sslcert sslkey sslkeylogfile sslpassword sslcertmode sslrootcert sslcrl sslcrldir sslsni
  sslaccept sslidentity requirepeer ssl_min_protocol_version ssl_max_protocol_version min_protocol_version
  max_protocol_version uselibpqcompat pgbouncer prepareThreshold statement_cache_size statement_timeout lock_timeout
  connection_limit pool_timeout pool_mode pool_size max_connections socket_timeout schema search_path currentSchema
  timezone endpoint supa`.split(/\s+/);
