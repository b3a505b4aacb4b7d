import { BlockList, isIP } from 'node:net';

/** Not public: private, loopback, link-local with the metadata of clouds, shared, reserved, multicast (RFC 6890). */
const reserved = new BlockList();
for (const block of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  // Inside 2000::/3: addresses that contain IPv4 addresses, and documentation.
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
])
  add(reserved, block);

/** Every public IPv6 address is in this block; mapped and translated IPv4 addresses are not. */
const global = new BlockList();
add(global, '2000::/3');

/** Whether anyone on the internet may have this address. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !reserved.check(address, 'ipv4');
  return family === 6 && global.check(address, 'ipv6') && !reserved.check(address, 'ipv6');
}

function add(list: BlockList, block: string): void {
  const [address = '', bits] = block.split('/');
  list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
