import { describe, expect, it } from '@jest/globals';
import { schema, type VariableName } from './schema.js';
import { certificate } from '../testing/certificate.js';

const KEY = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n';
const FAKE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

describe('the fields', () => {
  it.each<[VariableName, string, string]>([
    ['DATABASE_SSL_CA', 'a certificate', certificate],
    ['DATABASE_SSL_CA', 'two certificates', certificate + certificate],
    [
      'DATABASE_SSL_CA',
      'certificates with text before, between and after',
      `Subject: a\n${certificate}\n# b\n${certificate}more`,
    ],
    ['DATABASE_SSL_CA', 'CRLF and white space at the ends of lines', certificate.replaceAll('\n', ' \t\r\n')],
    ['HOST', 'an IPv6 address', '::'],
    ['HOST', 'a name', 'localhost'],
    ['AUTH_ISSUER', 'an address with port and path', 'http://id.corp.net:8080/realm/a'],
    ['CORS_ORIGINS', 'origins and *', 'http://localhost:3000,https://app.corp.net,*'],
    ['REQUEST_TIMEOUT', 'an hour', '60m'],
    ['BUILD_TIME', 'a time with fractions', '2026-01-31T12:00:00.123Z'],
    ['SENTRY_DSN', 'a DSN with a port', 'https://key@sentry.corp.net:9000/api/1'],
  ])('%s accepts %s', (name, _, text) => {
    expect(schema.shape[name].safeParse(text).success).toBe(true);
  });

  it.each<[VariableName, string, string]>([
    ['DATABASE_SSL_CA', 'a certificate and a private key', certificate + KEY],
    ['DATABASE_SSL_CA', 'text alone', 'no certificate here'],
    ['DATABASE_SSL_CA', 'a certificate whose end is missing', certificate.replace(/-----END.*/, '')],
    [
      'DATABASE_SSL_CA',
      'a certificate whose beginning is damaged',
      certificate + certificate.replace('-----BEGIN', '----BEGIN'),
    ],
    [
      'DATABASE_SSL_CA',
      'an encrypted key between certificates',
      certificate + KEY.replaceAll('PRIVATE', 'ENCRYPTED PRIVATE') + certificate,
    ],
    ['DATABASE_SSL_CA', 'a block that is not a certificate', FAKE],
    ['DATABASE_SSL_CA', 'a certificate and one that is none', certificate + FAKE],
    ['AUTH_ISSUER', 'a user', 'https://user@id.corp.net'],
    ['AUTH_ISSUER', 'a password', 'https://:secret@id.corp.net'],
    ['AUTH_ISSUER', 'a query', 'https://id.corp.net/?a=b'],
    ['AUTH_ISSUER', 'a fragment', 'https://id.corp.net/#a'],
    ['AUTH_ISSUER', 'another scheme', 'file:///etc/passwd'],
    ['AUTH_ISSUER', 'a space', 'https://id.corp.net/a b'],
    ['AUTH_ISSUER', 'more than 2048 characters', `https://id.corp.net/${'a'.repeat(2_048)}`],
    ['CORS_ORIGINS', 'a path', 'https://app.corp.net/a'],
    ['CORS_ORIGINS', 'the default port', 'https://app.corp.net:443'],
    ['CORS_ORIGINS', 'capitals', 'https://App.corp.net'],
    ['CORS_ORIGINS', 'a wildcard inside', 'https://*.corp.net'],
    ['CORS_ORIGINS', 'an empty item', 'https://app.corp.net,'],
    ['CORS_ORIGINS', 'null', 'null'],
    ['REQUEST_TIMEOUT', 'more than an hour', '61m'],
    ['REQUEST_TIMEOUT', 'a fraction', '1.5s'],
    ['REQUEST_TIMEOUT', 'a sign', '-1s'],
    ['PORT', 'a leading zero', '08000'],
    ['PORT', 'another base', '0x50'],
    ['PORT', 'more than 65535', '65536'],
    ['SENTRY_DSN', 'a key that the reporter would not read', 'https://a-key@sentry.corp.net/1'],
    ['SENTRY_DSN', 'a project that is not a number', 'https://key@sentry.corp.net/api'],
    ['SECRET_KEY', 'a line end', 'abc\ndef'],
    ['SECRET_KEY', 'letters outside ASCII', 'schl\u00fcssel'],
  ])('%s refuses %s', (name, _, text) => {
    expect(schema.shape[name].safeParse(text).success).toBe(false);
  });
});
