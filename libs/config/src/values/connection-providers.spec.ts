import { describe, expect, it } from '@jest/globals';
import { parseConnectionProviders } from './connection-providers.js';

const acme = {
  name: 'acme',
  issuer: 'https://login.acme.com/tenant',
  clientId: 'airlock',
  clientSecret: 'a secret has no space'.replaceAll(' ', '-'),
  scopes: ['openid', 'offline_access'],
};

describe('parseConnectionProviders', () => {
  it('reads providers, whose client secrets stay wrapped', () => {
    const result = parseConnectionProviders(JSON.stringify([acme]));
    expect(result).toMatchObject({ providers: [{ name: 'acme', scopes: ['openid', 'offline_access'] }] });
    expect(JSON.stringify(result)).not.toContain(acme.clientSecret);
  });

  it.each<[string, unknown]>([
    ['the list', []],
    ['the list', {}],
    ['the list', [acme, acme]],
    ['0', [{ ...acme, more: 1 }]],
    ['0.name', [{ ...acme, name: 'Acme' }]],
    ['0.name', [{ ...acme, name: '../x' }]],
    ['0.name', [{ ...acme, name: '__proto__' }]],
    ['1.issuer', [acme, { ...acme, name: 'b', issuer: 'file:///etc/passwd' }]],
    ['0.issuer', [{ ...acme, issuer: 'https://user:password@login.acme.com' }]],
    ['0.issuer', [{ ...acme, issuer: 'https://login.acme.com#x' }]],
    ['0.clientSecret', [{ ...acme, clientSecret: '' }]],
    ['0.clientId', [{ ...acme, clientId: 'a b' }]],
    ['0.scopes', [{ ...acme, scopes: ['email'] }]],
    ['0.scopes.1', [{ ...acme, scopes: ['openid', 'a b'] }]],
  ])('names the place of an error, and no value: %s', (place, value) => {
    expect(parseConnectionProviders(JSON.stringify(value))).toEqual({ place });
  });

  it.each(['', '[', 'null', '"text"'])('refuses the text %j', (text) => {
    expect(parseConnectionProviders(text)).toEqual({ place: 'the list' });
  });
});
