import { parseAddress } from './address.js';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly password: string;
}

const SHAPE = 'redis://host:6379/0 or rediss://user:password@host:6379/0';

/** Checks an address of Redis. @throws AddressError, which contains no part of the text */
export function parseRedisUrl(text: string, where: string): RedisAddress {
  const { host, port, password } = parseAddress(text, where, {
    schemes: ['redis', 'rediss'],
    shape: SHAPE,
    credentials: 'optional',
    readPath: (path, fail) => /^(\d{1,2})?$/.test(path) || fail('has no valid database index'),
    readQuery: (query, fail) => query === undefined || fail('has a query, which overrides options of the client'),
  });
  return { host, port, password };
}
