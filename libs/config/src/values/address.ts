import { isIPv4, isIPv6 } from 'node:net';

/** The parts of `scheme://user:password@host:port/path?query`, each with only one possible interpretation. */
export interface AddressParts<Path, Query> {
  readonly user: string;
  readonly password: string;
  readonly host: string;
  readonly port: number;
  readonly path: Path;
  readonly query: Query;
}

export interface AddressKind<Path, Query> {
  readonly schemes: readonly string[];
  readonly shape: string;
  readonly credentials: 'required' | 'optional';
  readonly checkUser?: (user: string, fail: Fail) => void;
  readonly checkHost?: (host: string, fail: Fail) => void;
  readonly readPath: (path: string, fail: Fail) => Path;
  readonly readQuery: (query: string | undefined, fail: Fail) => Query;
}

export interface AddressProblem {
  readonly problem: string;
  readonly expected: string;
}

/** All errors of an address. They contain no part of it, because any part may be a misplaced secret. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
  readonly problems: readonly AddressProblem[];

  constructor(where: string, problems: readonly AddressProblem[]) {
    super(problems.map(({ problem, expected }) => `${where}: ${problem}; expected ${expected}`).join('\n'));
    this.problems = problems;
  }
}

/** Stops parsing one part. The other parts are still parsed. */
export type Fail = (problem: string, expected?: string) => never;

class UnreadablePart extends Error {
  constructor(readonly found: AddressProblem) {
    super(found.problem);
  }
}

const MAX_LENGTH = 2_048;
const MAX_HOST_LENGTH = 253;
const MAX_PORT = 65_535;

/** @throws AddressError with the errors of all parts */
export function parseAddress<Path, Query>(
  text: string,
  where: string,
  kind: AddressKind<Path, Query>,
): AddressParts<Path, Query> {
  const problems: AddressProblem[] = [];
  const fail: Fail = (problem, expected = kind.shape) => {
    throw new UnreadablePart({ problem, expected });
  };
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UnreadablePart)) throw error;
      problems.push(error.found);
      return undefined;
    }
  };
  const sides = attempt(() => split(text, kind.schemes, fail));
  if (!sides) throw new AddressError(where, problems);
  const credentials = attempt(() => readCredentials(sides.credentials, kind, fail));
  const host = attempt(() => readHost(sides.server, kind.checkHost, fail));
  const port = attempt(() => readPort(sides.server, fail));
  const path = attempt(() => kind.readPath(sides.path, fail));
  const query = attempt(() => kind.readQuery(sides.query, fail));
  if (problems.length > 0) throw new AddressError(where, problems);
  return { ...credentials!, host: host!, port: port!, path: path as Path, query: query as Query };
}

interface Sides {
  readonly credentials: string | undefined;
  readonly server: string;
  readonly path: string;
  readonly query: string | undefined;
}

function split(text: string, schemes: readonly string[], fail: Fail): Sides {
  assertPlain(text, fail);
  const scheme = schemes.find((known) => text.startsWith(`${known}://`));
  if (!scheme) return fail(`does not start with ${schemes.map((known) => `${known}://`).join(' or ')}`);
  const [beforeQuery = '', ...queries] = text.slice(scheme.length + '://'.length).split('?');
  if (queries.length > 1) return fail('has two question marks');
  const slash = beforeQuery.indexOf('/');
  const authority = slash < 0 ? beforeQuery : beforeQuery.slice(0, slash);
  const sides = authority.split('@');
  if (sides.length > 2) return fail('has an @ in user or password', 'the escape %40 there');
  return {
    credentials: sides.length === 2 ? sides[0] : undefined,
    server: sides.at(-1) ?? '',
    path: slash < 0 ? '' : beforeQuery.slice(slash + 1),
    query: queries[0],
  };
}

function assertPlain(text: string, fail: Fail): void {
  if (text.length > MAX_LENGTH) fail(`has more than ${MAX_LENGTH} characters`);
  if (/[^\x21-\x7e]/.test(text)) fail('holds a space, a control character or a letter outside ASCII');
  if (text.includes('#')) fail('holds a #, which starts a fragment', 'the escape %23 in user or password');
  if (/[\\,"<>^`{|}]/.test(text))
    fail('holds one of \\ , " < > ^ ` { | }', 'percent escapes for these in user or password');
}

function readCredentials(
  text: string | undefined,
  { credentials, checkUser }: Pick<AddressKind<unknown, unknown>, 'credentials' | 'checkUser'>,
  fail: Fail,
): { user: string; password: string } {
  if (text === undefined && credentials === 'optional') return { user: '', password: '' };
  const [user, password, ...more] = (text ?? '').split(':');
  if (more.length > 0) return fail('has a second colon in user or password', 'the escape %3A there');
  if (credentials === 'required' && !user) return fail('names no user');
  if (!password) return fail('holds no password');
  const decoded = { user: decode(user ?? '', fail), password: decode(password, fail) };
  checkUser?.(decoded.user, fail);
  return decoded;
}

function decode(text: string, fail: Fail): string {
  const wrong = () => fail('has a malformed percent escape in user or password', 'two hexadecimal digits after each %');
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) wrong();
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    return wrong();
  }

  if (/[\x00-\x1f\x7f]/.test(decoded))
    fail('has an escaped control character in user or password', 'printable characters');
  return decoded;
}

/** An IPv6 address in brackets, or a name without a colon; then the port. */
const SERVER = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::(.*))?$/;

function readHost(server: string, check: AddressKind<unknown, unknown>['checkHost'], fail: Fail): string {
  const [, bracketed, plain] = SERVER.exec(server) ?? [];
  const host = (bracketed ?? plain ?? '').toLowerCase();
  if (host === '') return fail('names no host');
  const isKnownForm = bracketed === undefined ? isHostName(host) : isIPv6(host) && !host.includes('%');
  if (!isKnownForm)
    return fail(
      'has a host that is neither a name nor an address',
      'a host name, an IPv4 address or an [IPv6] address',
    );
  if (bracketed !== undefined && !isShortest(host))
    return fail('has an IPv6 address in one of its longer forms', 'its shortest form, such as [::1]');
  check?.(host, fail);
  return host;
}

/** If the server part cannot be parsed, readHost reports it. */
function readPort(server: string, fail: Fail): number {
  const parts = SERVER.exec(server);
  const port = parts?.[3];
  if (parts && port === undefined) return fail('has no port');
  const isPort = port !== undefined && /^[1-9]\d{0,4}$/.test(port) && Number(port) <= MAX_PORT;
  if (parts && !isPort) return fail('has no valid port', 'a port from 1 to 65535');
  return Number(port);
}

/**
 * `::1` can also be written `::01` or `0:0:0:0:0:0:0:1`. Only one form is accepted, so that addresses can be compared.
 */
function isShortest(ipv6: string): boolean {
  return new URL(`http://[${ipv6}]`).hostname === `[${ipv6}]`;
}

/** Resolvers also accept `2130706433`, `127.1` and `0x7f.1`. Here an IPv4 address must be four decimal numbers. */
export function isHostName(host: string): boolean {
  if (isIPv4(host)) return true;
  const labels = host.replace(/\.$/, '').split('.');
  const isNumeric = /^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '');
  return (
    host.length <= MAX_HOST_LENGTH && !isNumeric && labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,62})$/.test(label))
  );
}
