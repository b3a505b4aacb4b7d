import { isIPv4, isIPv6 } from 'node:net';

/** The parts of `scheme://user:password@host:port/path?query`, each with one possible reading. */
export interface AddressParts {
  readonly user: string;
  readonly password: string;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly query: string | undefined;
}

export interface AddressKind {
  readonly schemes: readonly string[];
  readonly shape: string;
  readonly credentials: 'required' | 'optional';
}

/** What is wrong with an address, without any part of it: a part may be a secret that slipped out of its place. */
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

type Fail = (problem: string, expected?: string) => never;

const MAX_LENGTH = 2_048;
const MAX_HOST_LENGTH = 253;
const MAX_PORT = 65_535;

/** @throws AddressError */
export function parseAddress(text: string, where: string, kind: AddressKind): AddressParts {
  const fail: Fail = (problem, expected = kind.shape) => {
    throw new AddressError(where, problem, expected);
  };
  assertPlain(text, fail);
  const scheme = kind.schemes.find((known) => text.startsWith(`${known}://`));
  if (!scheme) return fail(`does not start with ${kind.schemes.map((known) => `${known}://`).join(' or ')}`);
  const [beforeQuery = '', ...queries] = text.slice(scheme.length + '://'.length).split('?');
  if (queries.length > 1) return fail('has two question marks');
  const slash = beforeQuery.indexOf('/');
  const authority = slash < 0 ? beforeQuery : beforeQuery.slice(0, slash);
  const sides = authority.split('@');
  if (sides.length > 2) return fail('has an @ in user or password', 'the escape %40 there');
  return {
    ...parseCredentials(sides.length === 2 ? sides[0] : undefined, kind, fail),
    ...parseHost(sides.at(-1) ?? '', fail),
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

function parseCredentials(text: string | undefined, kind: AddressKind, fail: Fail): { user: string; password: string } {
  if (text === undefined && kind.credentials === 'optional') return { user: '', password: '' };
  const [user, password, ...more] = (text ?? '').split(':');
  if (more.length > 0) return fail('has a second colon in user or password', 'the escape %3A there');
  if (kind.credentials === 'required' && !user) return fail('names no user');
  if (!password) return fail('holds no password');
  return { user: decode(user ?? '', fail), password: decode(password, fail) };
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

function parseHost(text: string, fail: Fail): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(text) ?? [];
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
  if (port === undefined) return fail('has no port');
  const isPort = /^[1-9]\d{0,4}$/.test(port) && Number(port) <= MAX_PORT;
  if (!isPort) return fail('has no valid port', 'a port from 1 to 65535');
  return { host, port: Number(port) };
}

/** `::1` is also `::01` and `0:0:0:0:0:0:0:1`; what is compared with other addresses has one form. */
function isShortest(ipv6: string): boolean {
  return new URL(`http://[${ipv6}]`).hostname === `[${ipv6}]`;
}

/** Resolvers also read `2130706433`, `127.1` and `0x7f.1` as addresses; here an IPv4 address is four decimal numbers. */
function isHostName(host: string): boolean {
  if (isIPv4(host)) return true;
  const labels = host.replace(/\.$/, '').split('.');
  const isNumeric = /^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '');
  return (
    host.length <= MAX_HOST_LENGTH && !isNumeric && labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,62})$/.test(label))
  );
}
