import { describe, expect, it } from '@jest/globals';
import type { JWTPayload } from 'jose';
import { assertMeantForUs, readRoles, readSubject } from './token-claims.js';

const API = 'https://api.example.com';
const APP = 'https://app.example.com';
const NAMES = [API, APP, 'client_1'];

describe('assertMeantForUs', () => {
  it.each<[string, JWTPayload]>([
    ['an audience', { aud: API }],
    ['one of several audiences', { aud: ['https://other.example.com', API] }],
    ['an audience, with another party', { aud: API, azp: 'https://other.example.com' }],
    ['a party, without an audience', { azp: APP }],
    ['a client id as party', { azp: 'client_1' }],
  ])('accepts %s', (_, claims) => {
    expect(() => assertMeantForUs(claims, NAMES)).not.toThrow();
  });

  it.each<[string, Record<string, unknown>, string, string]>([
    ['another audience with our party', { aud: 'https://other.example.com', azp: APP }, 'audience-mismatch', 'aud'],
    ['other audiences with our party', { aud: ['a', 'b'], azp: APP }, 'audience-mismatch', 'aud'],
    ['no audience in the list, with our party', { aud: [], azp: APP }, 'claim-malformed', 'aud'],
    ['an empty audience with our party', { aud: '', azp: APP }, 'claim-malformed', 'aud'],
    ['an audience of null with our party', { aud: null, azp: APP }, 'claim-malformed', 'aud'],
    ['a number as audience', { aud: 1, azp: APP }, 'claim-malformed', 'aud'],
    ['an object as audience', { aud: { [API]: true }, azp: APP }, 'claim-malformed', 'aud'],
    ['our audience and a number', { aud: [API, 1] }, 'claim-malformed', 'aud'],
    ['our audience within a list of lists', { aud: [[API]] }, 'claim-malformed', 'aud'],
    ['another case', { aud: 'https://API.example.com' }, 'audience-mismatch', 'aud'],
    ['white space around it', { aud: ` ${API}` }, 'audience-mismatch', 'aud'],
    ['two audiences in one text', { aud: `${API} ${APP}` }, 'audience-mismatch', 'aud'],
    ['a slash at the end', { aud: `${API}/` }, 'audience-slash', 'aud'],
    ['a slash at the end, in a list', { aud: ['a', `${API}/`] }, 'audience-slash', 'aud'],
    ['another party', { azp: 'https://other.example.com' }, 'party-mismatch', 'azp'],
    ['a party with a slash at the end', { azp: `${APP}/` }, 'party-slash', 'azp'],
    ['a list as party', { azp: [APP] }, 'claim-malformed', 'azp'],
    ['neither', {}, 'claim-missing', 'azp'],
  ])('refuses %s', (_, claims, reason, claim) => {
    expect(() => assertMeantForUs(claims, NAMES)).toThrow(expect.objectContaining({ reason, claim }));
  });

  it('rejects every token if no name is configured', () => {
    expect(() => assertMeantForUs({ aud: API, azp: APP }, [])).toThrow('audience-mismatch');
    expect(() => assertMeantForUs({ azp: APP }, [])).toThrow('party-mismatch');
  });
});

describe('readSubject', () => {
  it.each([
    ['an identifier', 'user_2abcDEF'],
    ['an address', 'https://id.example.com/users/1'],
    ['a divided identifier', 'auth0|Jos\u00e9 da Silva'],
    ['a character outside of the first plane', 'user_\u{1fad6}'],
    ['255 characters', 'x'.repeat(255)],
  ])('accepts %s unchanged', (_, sub) => {
    expect(readSubject({ sub })).toBe(sub);
  });

  it('does not normalise spellings that are equivalent in Unicode', () => {
    expect(readSubject({ sub: 'jos\u00e9' })).not.toBe(readSubject({ sub: 'jose\u0301' }));
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'claim-malformed'],
    ['null', null, 'claim-malformed'],
    ['a number', 1, 'claim-malformed'],
    ['a list', ['user_1'], 'claim-malformed'],
    ['an empty text', '', 'claim-malformed'],
    ['256 characters', 'x'.repeat(256), 'subject-too-long'],
    ['the first half of a surrogate pair', 'user_\ud800', 'subject-malformed'],
    ['the second half', 'user_\udc00', 'subject-malformed'],
    ['the halves in the wrong order', '\udc00\ud800', 'subject-malformed'],
    ['NUL', 'user\u00001', 'subject-malformed'],
    ['a line break', 'user\n1', 'subject-malformed'],
    ['a control character of the second block', 'user\u00851', 'subject-malformed'],
    ['a line separator', 'user\u20281', 'subject-malformed'],
    ['a noncharacter', 'user\uffff', 'subject-malformed'],
    ['an unassigned character', 'user\u0378', 'subject-malformed'],
    ['white space alone', ' ', 'subject-malformed'],
    ['white space before', ' user_1', 'subject-malformed'],
    ['white space after', 'user_1\u00a0', 'subject-malformed'],
  ])('refuses %s', (_, sub, reason) => {
    expect(() => readSubject({ sub: sub as string })).toThrow(expect.objectContaining({ reason, claim: 'sub' }));
  });
});

describe('readRoles', () => {
  it.each<[string, Record<string, unknown>, string, string[]]>([
    ['a list', { roles: ['a', 'b'] }, 'roles', ['a', 'b']],
    ['a text with spaces', { scope: 'a  b' }, 'scope', ['a', 'b']],
    ['a list inside of objects', { realm_access: { roles: ['a'] } }, 'realm_access.roles', ['a']],
    [
      'a claim whose name is an address',
      { 'https://a.example.com/roles': ['a'] },
      'https://a.example.com/roles',
      ['a'],
    ],
    ['a list with other values', { roles: ['a', 1, null, '', ['b']] }, 'roles', ['a']],
    ['no claim', {}, 'roles', []],
    ['no object on the path', { realm_access: 'a' }, 'realm_access.roles', []],
    ['null', { roles: null }, 'roles', []],
    ['an object', { roles: { a: true } }, 'roles', []],
    ['a name of every object', {}, 'constructor.name', []],
    ['a name of every object, deeper', { a: {} }, 'a.__proto__.b', []],
  ])('reads %s', (_, claims, claim, roles) => {
    expect(readRoles(claims as JWTPayload, claim)).toEqual(roles);
  });
});
