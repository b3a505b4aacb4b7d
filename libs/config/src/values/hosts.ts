/** Classifies hosts by name alone. Nothing here uses a resolver, because its result could change later. */
import { BlockList, isIP, isIPv6 } from 'node:net';

const LOCAL_NAMES = /^(?:(?:.+\.)?localhost|localhost\.localdomain|ip6-localhost|ip6-loopback|host\.docker\.internal)$/;

const loopback = blockList(['127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128']);
const privateRanges = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '127.0.0.0/8',
  'fc00::/7',
  'fe80::/10',
  '::1/128',
];

/** Top-level names that public resolvers do not resolve. */
const PRIVATE_SUFFIXES = ['internal', 'local', 'lan', 'localdomain', 'cluster', 'svc'];

/** Whether a host is this machine, in any spelling, including `127.1`, `2130706433` and `0x7f000001`. */
export function isLocalHost(host: string): boolean {
  const name = canonicalHost(host);
  return LOCAL_NAMES.test(name) || isWithin(loopback, name);
}

/** Lower case, no brackets, no trailing dot, addresses in their usual form. */
export function canonicalHost(host: string): string {
  const bare = host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
  // Only an http URL normalises other spellings of an address.
  const url = `http://${isIPv6(bare) ? `[${bare}]` : bare}/`;
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : bare;
}

/** Whether a host is in a list of names, *.suffixes and CIDR blocks. */
export function isListed(host: string, entries: readonly string[]): boolean {
  const name = canonicalHost(host);
  return entries.some((entry) => {
    if (entry.startsWith('*.')) return name.endsWith(entry.slice(1).toLowerCase());
    return entry.includes('/') ? isWithin(blockList([entry]), name) : canonicalHost(entry) === name;
  });
}

export function isHostPattern(entry: string): boolean {
  if (!/^[\x21-\x24\x26-\x7e]{1,253}$/.test(entry)) return false;
  if (isCidr(entry)) return true;
  return /^(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/i.test(entry) || isIPv6(entry);
}

/** Whether a host can only be on this machine or in a private network. Addresses are not judged, names are. */
export function isPrivateName(host: string): boolean {
  const labels = canonicalHost(host).split('.');
  return (
    isLocalHost(host) || (labels.length === 1 && isIP(host) === 0) || PRIVATE_SUFFIXES.includes(labels.at(-1) ?? '')
  );
}

/** Whether a block or suffix is so wide that it includes public hosts. */
export function isPublicPattern(entry: string): boolean {
  if (entry.startsWith('*.'))
    return !entry.slice(2).includes('.') && !PRIVATE_SUFFIXES.includes(entry.slice(2).toLowerCase());
  if (!entry.includes('/')) return false;
  return !privateRanges.some((range) => contains(range, entry));
}

function isCidr(entry: string): boolean {
  const { address, bits, family } = parseCidr(entry);
  return (
    family !== 0 && /\/(0|[1-9]\d{0,2})$/.test(entry) && bits <= (family === 6 ? 128 : 32) && isIP(address) === family
  );
}

function contains(range: string, entry: string): boolean {
  const outer = parseCidr(range);
  const inner = parseCidr(entry);
  return outer.family === inner.family && inner.bits >= outer.bits && isWithin(blockList([range]), inner.address);
}

function parseCidr(entry: string): { address: string; bits: number; family: number } {
  const [address = '', bits = ''] = entry.split('/');
  return { address, bits: Number(bits), family: isIP(address) };
}

function isWithin(list: BlockList, host: string): boolean {
  const family = isIP(host);
  return family !== 0 && list.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

function blockList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const { address, bits, family } of entries.map(parseCidr))
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  return list;
}
