import { describe, expect, it } from '@jest/globals';
import { canonicalHost, isHostPattern, isListed, isLocalHost, isPublicPattern } from './hosts.js';

describe('isLocalHost', () => {
  it.each([
    'localhost',
    'LocalHost',
    'localhost.',
    'api.localhost',
    'localhost.localdomain',
    'ip6-localhost',
    'ip6-loopback',
    'host.docker.internal',
    '127.0.0.1',
    '127.255.0.9',
    '0.0.0.0',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '017700000001',
    '0',
    '::1',
    '[::1]',
    '0:0:0:0:0:0:0:1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
  ])('treats %s as this machine', (host) => {
    expect(isLocalHost(host)).toBe(true);
  });

  it.each([
    'localhost.prod.com',
    'notlocalhost',
    'db.local',
    '128.0.0.1',
    '10.0.0.1',
    '2130706434.example',
    '::2',
    'local',
    'host',
  ])('treats %s as another machine', (host) => {
    expect(isLocalHost(host)).toBe(false);
  });
});

describe('canonicalHost', () => {
  it.each([
    ['DB.Example.com.', 'db.example.com'],
    ['[FD00:0::5]', 'fd00::5'],
    ['my_db', 'my_db'],
  ])('writes %s as %s', (host, canonical) => {
    expect(canonicalHost(host)).toBe(canonical);
  });
});

describe('isListed', () => {
  it.each([
    ['postgres', ['postgres'], true],
    ['Postgres.', ['postgres'], true],
    ['db.internal', ['*.internal'], true],
    ['a.b.internal', ['*.internal'], true],
    ['internal', ['*.internal'], false],
    ['xinternal', ['*.internal'], false],
    ['10.1.2.3', ['10.0.0.0/8'], true],
    ['11.1.2.3', ['10.0.0.0/8'], false],
    ['fd00::5', ['fd00::/8'], true],
    ['10.example.com', ['10.0.0.0/8'], false],
    ['db.example.com', [], false],
  ])('finds %s in %j: %s', (host, entries, expected) => {
    expect(isListed(host, entries)).toBe(expected);
  });
});

describe('isHostPattern', () => {
  it.each(['postgres', 'db.example.com', '*.internal', '10.0.0.0/8', 'fd00::/8', '10.1.2.3', 'fd00::5'])(
    'accepts %s',
    (entry) => {
      expect(isHostPattern(entry)).toBe(true);
    },
  );

  it.each([
    '',
    '*',
    '*.',
    'a b',
    ' a',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0/8',
    'fd00::/129',
    '10.0.0.0/08',
    'a/8',
    '*.10.0.0.0/8',
    'db:5432',
    'http://a',
    'fe80::1%eth0',
    'fe80::%eth0/64',
  ])('refuses %j', (entry) => {
    expect(isHostPattern(entry)).toBe(false);
  });
});

describe('isPublicPattern', () => {
  it.each(['0.0.0.0/0', '::/0', '10.0.0.0/7', '8.8.8.0/24', '*.com', '*.net', '172.16.0.0/11'])(
    'finds that %s is too wide',
    (entry) => {
      expect(isPublicPattern(entry)).toBe(true);
    },
  );

  it.each([
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.1.0/24',
    'fd00::/8',
    '*.internal',
    '*.db.example.com',
    'postgres',
    'db.example.com',
  ])('accepts %s', (entry) => {
    expect(isPublicPattern(entry)).toBe(false);
  });
});
