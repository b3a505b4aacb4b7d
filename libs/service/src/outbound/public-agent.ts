import { lookup as lookUp, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { isPublicAddress } from './public-addresses.js';

export type LookUp = (
  host: string,
  options: LookupOptions & { all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface PublicAgentOptions {
  /** Hosts whose address is not judged. */
  readonly isTrusted: (host: string) => boolean;
  readonly lookup?: LookUp;
}

export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError';

  constructor(host: string) {
    super(`${host}: has no public address; expected a host on the internet`);
  }
}

/**
 * Connects to public addresses only, for addresses that a user chose. The address that is judged is the one that is
 * connected to: a name that resolves differently the second time gains nothing.
 */
export function createPublicAgent(options: PublicAgentOptions): Agent {
  const connect = buildConnector({ lookup: createPublicLookup(options), allowH2: false });
  return new Agent({
    connect: (target, done) => {
      const host = target.hostname.replace(/^\[|\]$/g, '');
      if (!isPublicName(host) && !options.isTrusted(host)) done(new PrivateAddressError(host), null);
      else connect(target, done);
    },
  });
}

/** Resolves names to their public addresses. Node never passes an address to it: see `isPublicName`. */
export function createPublicLookup({ isTrusted, lookup = lookUp }: Partial<PublicAgentOptions> = {}): LookupFunction {
  return (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, '');
      const usable = isTrusted?.(host) ? addresses : addresses.filter(({ address }) => isPublicAddress(address));
      const [first] = usable;
      if (!first) return done(new PrivateAddressError(host), '');
      if (options.all) done(null, usable);
      else done(null, first.address, first.family);
    });
  };
}

/** Whether a host is a name, which is resolved, or a public address. */
export function isPublicName(host: string): boolean {
  return isIP(host) === 0 || isPublicAddress(host);
}
