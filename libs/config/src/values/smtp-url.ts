import { parseAddress } from './address.js';
import { Secret } from './secret-value.js';

export interface SmtpAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: Secret;
  /** `starttls` requires it; `none` is for mail catchers only. */
  readonly tls: 'implicit' | 'starttls' | 'none';
  /** A server that shows mail and sends none, such as Mailpit. */
  readonly isCatcher: boolean;
}

const SHAPE = 'smtp://user:password@host:587, smtps://user:password@host:465 or catcher://host:1025';
const TLS = { smtp: 'starttls', smtps: 'implicit', catcher: 'none' } as const;
type Scheme = keyof typeof TLS;

/** Checks the address of a mail server. @throws AddressError, which contains no part of the text */
export function parseSmtpUrl(text: string, where: string): SmtpAddress {
  const schemes = Object.keys(TLS) as Scheme[];
  const scheme = schemes.find((known) => text.startsWith(`${known}://`)) ?? 'smtp';
  const isCatcher = scheme === 'catcher';
  const { host, port, user, password } = parseAddress(text, where, {
    schemes,
    shape: SHAPE,
    credentials: 'optional',
    checkUser: (_, fail) => isCatcher && fail('has a user, which a mail catcher does not need'),
    readPath: (path, fail) => path === '' || fail('has a path'),
    readQuery: (query, fail) => query === undefined || fail('has a query, which overrides options of the client'),
  });
  return { host, port, user, password: new Secret(password), tls: TLS[scheme], isCatcher };
}
