import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse as parseAsPg } from 'pg-connection-string';
import { AddressError } from './address.js';
import { isPoolerHost } from './poolers.js';
import { describeDatabase, parseDatabaseUrl, type DatabaseAddress } from './database-url.js';

describe('parseDatabaseUrl', () => {
  it('reads every part', () => {
    const address = parseDatabaseUrl(
      'postgresql://u%40x:p%3A%2F%23@Db.Example.com:6432/app_test?sslmode=verify-full',
      'X',
    );
    const { password, ...rest } = address;
    expect(rest).toEqual({
      host: 'db.example.com',
      port: 6432,
      user: 'u@x',
      database: 'app_test',
      sslMode: 'verify-full',
    });
    expect(password.reveal()).toBe('p:/#');
    expect(Object.isFrozen(address)).toBe(true);
  });

  it('uses no TLS by default', () => {
    expect(parseDatabaseUrl('postgres://u:p@h:1/d', 'X').sslMode).toBe('disable');
  });

  it('removes the brackets of an IPv6 address', () => {
    expect(parseDatabaseUrl('postgres://u:p@[::1]:5432/d', 'X').host).toBe('::1');
  });

  it.each([
    '',
    ' ',
    'host=prod dbname=app',
    '/run/postgresql app_prod',
    'socket:/run/pg?db=app_prod',
    'POSTGRES://u:p@h:1/d',
    'postgres:u:p@h:1/d',
    'postgres:///d',
    'postgres://h:1/d',
    'postgres://@h:1/d',
    'postgres://u@h:1/d',
    'postgres://u:@h:1/d',
    'postgres://:p@h:1/d',
    'postgres://u:p@:1/d',
    'postgres://u:p@h/d',
    'postgres://u:p@h:/d',
    'postgres://u:p@h:0/d',
    'postgres://u:p@h:01/d',
    'postgres://u:p@h:65536/d',
    'postgres://u:p@h:1e3/d',
    'postgres://u:p@h:1',
    'postgres://u:p@h:1/',
    'postgres://u:p@h:1//d',
    'postgres://u:p@h:1/d/',
    'postgres://u:p@h:1/d/e',
    'postgres://u:p@h:1/app%5Ftest',
    'postgres://u:p@h:1/%61pp_prod',
    'postgres://u:p@h:1/d%00',
    'postgres://u:p@h:1/d.e',
    `postgres://u:p@h:1/${'d'.repeat(64)}`,
    `postgres://${'u'.repeat(64)}:p@h:1/d`,
    'postgres://u:p@h:1/d#x',
    'postgres://u:p@prod#@localhost:1/d',
    'postgres://u:p@localhost:5432\\@prod/d',
    'postgres://u:p@x@h:1/d',
    'postgres://u:p:q@h:1/d',
    'postgres://u:p@a,b:5432/d',
    'postgres://u:p@a:1,b:2/d',
    'postgres://u:p@h:1/d?',
    'postgres://u:p@h:1/d?host=prod',
    'postgres://u:p@h:1/d?host=a&host=b',
    'postgres://u:p@h:1/d?dbname=app_prod',
    'postgres://u:p@h:1/d?hostaddr=10.0.0.1',
    'postgres://u:p@h:1/d?service=prod',
    'postgres://u:p@h:1/d?options=-csearch_path%3Dprod',
    'postgres://u:p@h:1/d?sslmode=require&host=prod',
    'postgres://u:p@h:1/d?sslmode=require&sslmode=disable',
    'postgres://u:p@h:1/d?sslmode=prefer',
    'postgres://u:p@h:1/d?SSLMODE=require',
    'postgres://u:p@h:1/d?sslmode=%72equire',
    'postgres://u:p@h:1/d?sslmode=require?x',
    'postgres://u:p@h:1/d\0',
    'postgres://u:p@h:1/d\n',
    'postgres://u:p@h:1/d\r',
    ' postgres://u:p@h:1/d',
    'postgres://u:p@h:1/d ',
    'postgres://u:p\u00e9@h:1/d',
    'postgres://u:p@pr\u043ed:1/d',
    'postgres://u:p%@h:1/d',
    'postgres://u:p%2@h:1/d',
    'postgres://u:p%zz@h:1/d',
    'postgres://u:p%ff@h:1/d',
    'postgres://u:p%00@h:1/d',
    'postgres://u%0a:p@h:1/d',
    'postgres://u:p@h%2ex:1/d',
    'postgres://u:p@2130706433:1/d',
    'postgres://u:p@127.1:1/d',
    'postgres://u:p@0x7f.1:1/d',
    'postgres://u:p@127.0.0.01:1/d',
    'postgres://u:p@1.2.3.4.5:1/d',
    'postgres://u:p@h..x:1/d',
    'postgres://u:p@-h:1/d',
    'postgres://u:p@::1:5432/d',
    'postgres://u:p@[::1]/d',
    'postgres://u:p@[::1:5432/d',
    'postgres://u:p@[127.0.0.1]:5432/d',
    'postgres://u:p@[::1%25lo]:5432/d',
    'postgres://u:p@[::1%lo]:5432/d',
    'postgres://u:p@[::1]x:5432/d',
    'postgres://u:p@[::01]:5432/d',
    'postgres://u:p@[0:0:0:0:0:0:0:1]:5432/d',
    'postgres://u:p@[::ffff:127.0.0.1]:5432/d',
    `postgres://u:${'p'.repeat(3_000)}@h:1/d`,
  ])('refuses %j', (text) => {
    expect(() => parseDatabaseUrl(text, 'DATABASE_URL')).toThrow(AddressError);
  });

  it('parses the parts that an address was built from', () => {
    fc.assert(
      fc.property(addressParts, (parts) => {
        const { password, ...rest } = parseDatabaseUrl(formatUrl(parts), 'X');
        expect({ ...rest, password: password.reveal() }).toEqual(parts);
      }),
    );
  });

  it('accepts no address that another parser reads differently', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const address = tryParse(text);
        fc.pre(address !== undefined);
        const { host, port, user, password, database } = parseAsPg(text);
        const seen = { host: host?.toLowerCase(), port, user, password, database };
        expect(seen).toEqual({
          host: address.host,
          port: String(address.port),
          user: address.user,
          password: address.password.reveal(),
          database: address.database,
        });
      }),
      { numRuns: 2_000 },
    );
  });

  it('never shows any part of an invalid address', () => {
    fc.assert(
      fc.property(hostileText, fc.stringMatching(/^[A-Z]{12}$/), (text, canary) => {
        const spoilt = text.replace(/:[^:@]*@/, `:${canary}@`);
        try {
          parseDatabaseUrl(spoilt, 'X');
        } catch (error) {
          expect(String(error)).not.toContain(canary);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('isPoolerHost', () => {
  it.each([
    'pgbouncer',
    'pgbouncer-2.corp.net',
    'ep-x-1-pooler.eu.aws.neon.tech',
    'aws-0-eu.pooler.supabase.com',
    'a.proxy-b1.us-east-1.rds.amazonaws.com',
    'pgcat.',
    'supavisor',
  ])('recognises %s', (host) => expect(isPoolerHost(host)).toBe(true));

  it.each([
    'db.corp.net',
    'ep-x-1.eu.aws.neon.tech',
    'db.abc.supabase.co',
    'pool.corp.net',
    'whirlpooler.net',
    'a.b1.us-east-1.rds.amazonaws.com',
    '127.0.0.1',
  ])('treats %s as PostgreSQL itself', (host) => expect(isPoolerHost(host)).toBe(false));
});

describe('describeDatabase', () => {
  it('shows everything except the password', () => {
    const address = parseDatabaseUrl('postgres://u:hunter2@[::1]:5432/d', 'X');
    expect(describeDatabase(address)).toBe('postgres://u:[redacted]@[::1]:5432/d?sslmode=disable');
  });
});

const addressParts = fc.record({
  host: fc.oneof(
    fc.ipV4(),
    fc.stringMatching(/^[a-z][a-z0-9]{0,8}(\.[a-z][a-z0-9]{0,5}){0,3}$/),
    fc.constant('fd00::5'),
  ),
  port: fc.integer({ min: 1, max: 65_535 }),
  user: fc.stringMatching(/^[ -~\u00e9\u4e00]{1,15}$/),
  password: fc.stringMatching(/^[ -~\u00e9\u4e00]{1,40}$/),
  database: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,30}$/),
  sslMode: fc.constantFrom('disable' as const, 'require' as const, 'verify-full' as const),
});

/** Valid addresses with parts of attacks inserted anywhere. */
const hostileText = fc
  .tuple(
    fc.constantFrom(
      'postgres://u:p@h:5432/app_test',
      'postgres://u%40:p%3a@[::1]:1/d',
      'postgresql://u:p@10.0.0.1:1/d',
    ),
    fc.array(
      fc.tuple(
        fc.nat(45),
        fc.nat(2),
        fc.oneof(
          fc.constantFrom(
            '@',
            ':',
            '/',
            '?',
            '#',
            ',',
            '\\',
            '%',
            '%00',
            '%2F',
            '[',
            ']',
            '&',
            '=',
            ' ',
            '+',
            '..',
            '\t',
            '\0',
          ),
          fc.constantFrom('?host=prod', '?sslmode=verify-full', '@prod', '?sslmode=disable', 'localhost', '%41', '.'),
          fc.string({ maxLength: 3 }),
        ),
      ),
      { maxLength: 3 },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce<string>((now, [at, cut, piece]) => now.slice(0, at) + piece + now.slice(at + cut), text),
  );

function formatUrl(parts: Omit<DatabaseAddress, 'password'> & { password: string }): string {
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`);
  const host = parts.host.includes(':') ? `[${parts.host}]` : parts.host;
  const { user, password, port, database, sslMode } = parts;
  return `postgres://${encode(user)}:${encode(password)}@${host}:${port}/${database}?sslmode=${sslMode}`;
}

function tryParse(text: string): DatabaseAddress | undefined {
  try {
    return parseDatabaseUrl(text, 'X');
  } catch (error) {
    if (error instanceof AddressError) return undefined;
    throw error;
  }
}
