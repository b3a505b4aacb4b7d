/** The types of variables. They parse the exact text: no trimming, no guessing, one spelling per value. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { AddressError, isHostName } from '../values/address.js';
import { parseCertificates } from '../values/certificates.js';
import { parseConnectionProviders } from '../values/connection-providers.js';
import { parseDatabaseUrl } from '../values/database-url.js';
import { FAKE } from '../values/fake.js';
import { isHostPattern } from '../values/hosts.js';
import { parseRedisUrl } from '../values/redis-url.js';
import { parseSmtpUrl } from '../values/smtp-url.js';
import { Secret } from '../values/secret-value.js';
import { parseStorageUrl } from '../values/storage-url.js';

const MAX_LIST_LENGTH = 4_096;
const MAX_ADDRESS_LENGTH = 2_048;
const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
type Unit = keyof typeof MILLISECONDS;

export function flag() {
  return z.enum(['true', 'false']).transform((text) => text === 'true');
}

export function integer(min: number, max: number) {
  return field(`a whole number from ${min} to ${max}`, (text) => {
    const value = Number(text);
    return /^(0|[1-9]\d{0,9})$/.test(text) && value >= min && value <= max ? value : undefined;
  });
}

export function port() {
  return integer(0, 65_535);
}

/** A duration with its unit, as milliseconds. */
export function duration(maxHours = 1) {
  const examples = maxHours > 24 ? '90m or 26h' : '500ms, 30s or 5m';
  return field(`a duration of at most ${maxHours}h such as ${examples}`, (text) => {
    const [, amount, unit] = /^(0|[1-9]\d{0,6})(ms|s|m|h)$/.exec(text) ?? [];
    const value = Number(amount) * MILLISECONDS[unit as Unit];
    return value <= maxHours * MILLISECONDS.h ? value : undefined;
  });
}

export function text(expected = 'a text of at most 200 printable characters', pattern = /^[\x20-\x7e]{1,200}$/) {
  return field(expected, (value) => (pattern.test(value) ? value : undefined));
}

/** Rejects hosts with which the process would fail as soon as it listens. */
export function listenHost() {
  return field('an IP address or host name to listen on', (value) =>
    (isIP(value) !== 0 && !value.includes('%')) || isHostName(value.toLowerCase()) ? value : undefined,
  );
}

/**
 * One or more PEM certificates, with any text around them (RFC 7468). Other PEM blocks, such as a private key, are
 * rejected.
 */
export function certificates() {
  return z.string().transform((value, context) => {
    const result = parseCertificates(value);
    if ('pem' in result) return result.pem;
    const { problem } = result;
    context.addIssue({
      code: 'custom',
      params: { expected: 'PEM certificates and no other PEM block', ...(problem && { problem }) },
    });
    return z.NEVER;
  });
}

export function list(expected: string, isItem: RegExp | ((item: string) => boolean)) {
  return field(`${expected}, separated by commas`, (value) => {
    const items = value.split(',');
    const isValid = isItem instanceof RegExp ? (item: string) => isItem.test(item) : isItem;
    return value.length <= MAX_LIST_LENGTH && items.every(isValid) ? Object.freeze(items) : undefined;
  });
}

/** Public keys of age. A wrong value is not shown: it may be the secret key. */
export function recipients() {
  return z.string().transform((value, context) => {
    const keys = value.split(',');
    if (value.length <= MAX_LIST_LENGTH && keys.every((key) => /^age1[0-9a-z]{20,4000}$/.test(key)))
      return Object.freeze(keys);
    const expected = 'public keys of age, separated by commas';
    context.addIssue({
      code: 'custom',
      params: { expected, problem: 'holds a text that is none; its value is not shown' },
    });
    return z.NEVER;
  });
}

export function hosts(expected: string) {
  return list(expected, (item) => isHostPattern(item));
}

/** Hosts outside of the system, or * for all. */
export function outboundHosts() {
  return list('* or host names, *.suffixes or CIDR blocks', (item) => item === '*' || isHostPattern(item));
}

/** Origins exactly as browsers send them, or * for all. */
export function origins() {
  return list('* or origins such as https://app.example.com', (item) => item === '*' || isOrigin(item));
}

/** An http(s) address without user, password, query or fragment. */
export function webAddress() {
  return field('an address such as https://example.com/path', parseWebAddress);
}

/**
 * The address of an outside service, or `fake:`. A rule refuses `fake:` in environments that must use the real service.
 */
export function serviceAddress() {
  const address = field(`an address such as https://example.com/path, or ${FAKE}`, (value) =>
    value === FAKE ? value : parseWebAddress(value),
  );
  serviceAddresses.add(address);
  return address;
}

const serviceAddresses = new WeakSet<object>();

/** Whether a field of the schema, which may be optional, is a `serviceAddress()`. */
export function isServiceAddress(field: z.ZodType): boolean {
  return serviceAddresses.has(unwrap(field));
}

function unwrap(field: z.ZodType): object {
  return field instanceof z.ZodOptional ? field.unwrap() : field;
}

export function secret(expected = 'a text of at most 4096 printable characters', pattern = /^[\x20-\x7e]{1,4096}$/) {
  return field(expected, (value) => (pattern.test(value) ? new Secret(value) : undefined));
}

/** Providers of connected accounts, as JSON. */
export function connectionProviders() {
  return z.string().transform((value, context) => {
    const result = parseConnectionProviders(value);
    if ('providers' in result) return result.providers;
    const expected =
      'a JSON list of { "name", "issuer", "clientId", "clientSecret", "scopes" }, each name once, each with the scope openid';
    const problem = value === '' ? undefined : `is not valid at ${result.place}; its value is not shown`;
    context.addIssue({ code: 'custom', params: { expected, ...(problem && { problem }) } });
    return z.NEVER;
  });
}

export function databaseAddress() {
  const field = address((value) => parseDatabaseUrl(value, ''));
  databaseAddresses.add(field);
  return field;
}

const databaseAddresses = new WeakSet<object>();

/** Whether a field of the schema, which may be optional, is a `databaseAddress()`. */
export function isDatabaseAddress(field: z.ZodType): boolean {
  return databaseAddresses.has(unwrap(field));
}

export function smtpUrl() {
  return address((value) => parseSmtpUrl(value, ''));
}

/** The address is checked part by part, but the client gets the text. */
export function redisUrl() {
  return address((value) => {
    parseRedisUrl(value, '');
    return new Secret(value);
  });
}

/** A folder, or a bucket with its keys. */
export function storageAddress() {
  const field = address((value) => parseStorageUrl(value, ''));
  storageAddresses.add(field);
  return field;
}

const storageAddresses = new WeakSet<object>();

/** Whether a field of the schema, which may be optional, is a `storageAddress()`. */
export function isStorageAddress(field: z.ZodType): boolean {
  return storageAddresses.has(unwrap(field));
}

function address<T>(parse: (text: string) => T) {
  return z.string().transform((value, context) => {
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof AddressError)) throw error;
      for (const { problem, expected } of error.problems)
        context.addIssue({ code: 'custom', params: value === '' ? { expected } : { problem, expected } });
      return z.NEVER;
    }
  });
}

function field<T>(expected: string, parse: (text: string) => T | undefined) {
  return z.string().transform((value, context) => {
    const parsed = parse(value);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', params: { expected } });
    return z.NEVER;
  });
}

function parseWebAddress(value: string): string | undefined {
  const url = value.length <= MAX_ADDRESS_LENGTH ? parseUrl(value) : undefined;
  const isPlain = url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash;
  return isPlain ? value : undefined;
}

function isOrigin(item: string): boolean {
  const url = parseUrl(item);
  return url !== undefined && /^https?:$/.test(url.protocol) && url.origin === item && !item.includes('*');
}

function parseUrl(value: string): URL | undefined {
  return /^[\x21-\x7e]+$/.test(value) && URL.canParse(value) ? new URL(value) : undefined;
}
