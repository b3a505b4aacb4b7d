import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import { createLocalToken } from './local-issuer.js';

const RULES = new URL('../../../../libs/service/src/auth/local-issuer/local-rules.ts', import.meta.url);

describe('createLocalToken', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'local-issuer-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('signs with a key of the key set in its folder', async () => {
    const token = await createLocalToken({ environment: 'testing', sub: 'user_1', expiresIn: '1h', folder });
    const keys = JSON.parse(readFileSync(join(folder, 'jwks.json'), 'utf8')) as JSONWebKeySet;
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys));
    expect(payload.sub).toBe('user_1');
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3_600);
  });

  it('keeps its private key for the next token, readable only by its owner and not in the key set', async () => {
    await createLocalToken({ environment: 'testing', sub: 'user_1', expiresIn: '1h', folder });
    const secret = readFileSync(join(folder, 'private.json'), 'utf8');
    await createLocalToken({ environment: 'testing', sub: 'user_2', expiresIn: '1h', folder });
    expect(readFileSync(join(folder, 'private.json'), 'utf8')).toBe(secret);
    expect(statSync(join(folder, 'private.json')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, 'jwks.json'), 'utf8')).not.toContain((JSON.parse(secret) as { d: string }).d);
  });

  it('names the issuer, the authorised party and the roles that the API of this workspace trusts', async () => {
    const token = await createLocalToken({
      environment: 'testing',
      sub: 'user_1',
      roles: ['support'],
      expiresIn: '1h',
      folder,
    });
    const { iss, azp, ...claims } = decodeJwt(token);
    const rules = readFileSync(RULES, 'utf8');
    expect(rules).toContain(`LOCAL_ISSUER = '${iss?.replace(/\/testing$/, '')}'`);
    expect(rules).toContain(`LOCAL_PARTY = '${String(azp)}'`);
    const [, rolesClaim = ''] = /LOCAL_ROLES_CLAIM = '(.+)'/.exec(rules) ?? [];
    expect(claims[rolesClaim]).toEqual(['support']);
  });
});
