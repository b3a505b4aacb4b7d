import { AddressError, parseAddress } from './address.js';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly password: string;
}

const SHAPE = 'redis://host:6379/0 or rediss://user:password@host:6379/0';

/** Checks what the Redis client will read. @throws AddressError, which holds no part of the text */
export function parseRedisUrl(text: string, where: string): RedisAddress {
  const schemes = ['redis', 'rediss'];
  const { host, port, password, path, query } = parseAddress(text, where, {
    schemes,
    shape: SHAPE,
    credentials: 'optional',
  });
  if (query !== undefined) throw new AddressError(where, 'has a query, which overrides options of the client', SHAPE);
  if (!/^(\d{1,2})?$/.test(path)) throw new AddressError(where, 'has no valid database index', SHAPE);
  return { host, port, password };
}
