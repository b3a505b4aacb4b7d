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

/** What is wrong with an address, without any part of it that may be secret. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
  readonly problem: string;
  readonly expected: string;

  constructor(where: string, problem: string, expected: string) {
    super(`${where}: ${problem}; expected ${expected}`);
    this.problem = problem;
    this.expected = expected;
  }
}

const SHAPE = 'postgres://user:password@host:5432/database';

/**
 * The one parser of database addresses. URL parsers disagree on percent escapes, queries, fragments and commas, and two
 * readings of one text are two databases: whatever any of them reads differently is refused here. The result is used
 * field by field; the text goes nowhere else.
 *
 * @throws AddressError, which never holds the password
 */
export function parseDatabaseUrl(text: string, where: string): DatabaseAddress {
  const match =
    /^postgres(?:ql)?:\/\/([^:@/?#]+):([^:@/?#]+)@([^:@/?#[\]]+|\[[^\]]+\]):(\d{1,5})\/([^/?#]+)(?:\?(.*))?$/.exec(
      text,
    );
  if (!match) throw new AddressError(where, 'is not a database URL', SHAPE);
  const [, user = '', password = '', host = '', port = '', database = '', query] = match;
  return Object.freeze({
    host: host.replace(/^\[|\]$/g, ''),
    port: Number(port),
    user: decodeURIComponent(user),
    password: new Secret(decodeURIComponent(password)),
    database,
    sslMode: parseSslMode(query, where),
  });
}

function parseSslMode(query: string | undefined, where: string): SslMode {
  if (query === undefined) return 'disable';
  const mode = SSL_MODES.find((known) => query === `sslmode=${known}`);
  if (!mode)
    throw new AddressError(where, 'has an unknown query', `nothing after "?" but sslmode=${SSL_MODES.join('|')}`);
  return mode;
}
