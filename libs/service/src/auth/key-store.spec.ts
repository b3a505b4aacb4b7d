import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TestIssuer } from '../testing/test-issuer.fixture.js';
import { COOLDOWN_MS, MAX_AGE_MS } from './key-store.js';
import { KeyStore } from './key-store.js';

const header = (kid: string) =>
  [
    { alg: 'ES256', kid },
    { payload: '', signature: '' },
  ] as const;

describe('KeyStore', () => {
  let issuer: TestIssuer;
  let clock: number;
  let changes: number;
  let store: KeyStore;

  beforeAll(async () => (issuer = await TestIssuer.start()));
  afterAll(() => issuer.stop());
  beforeEach(() => {
    clock = 1_000_000;
    changes = 0;
    issuer.isFailing = false;
    issuer.requests = 0;
    store = new KeyStore({ load, now: () => clock, onChange: () => (changes += 1) });
  });

  async function load() {
    const response = await fetch(issuer.auth.jwksUrl);
    if (!response.ok) throw new Error('away');
    return (await response.json()) as { keys: [] };
  }

  it('asks the issuer once for concurrent callers', async () => {
    await Promise.all(Array.from({ length: 20 }, () => store.getKey(...header('first'))));
    expect(issuer.requests).toBe(1);
  });

  it('asks again for an unknown key id, but not within the cooldown', async () => {
    await store.getKey(...header('first'));
    for (const kid of ['a', 'b', 'c']) await expect(store.getKey(...header(kid))).rejects.toThrow();
    expect(issuer.requests).toBe(1);
    clock += COOLDOWN_MS;
    for (const kid of ['d', 'e']) await expect(store.getKey(...header(kid))).rejects.toThrow();
    expect(issuer.requests).toBe(2);
  });

  it('finds a key that the issuer has added', async () => {
    await store.getKey(...header('first'));
    await issuer.addKey('added', 'ES256');
    clock += COOLDOWN_MS;
    await expect(store.getKey(...header('added'))).resolves.toBeDefined();
    expect(changes).toBe(1);
  });

  it('uses old keys while the issuer is unavailable', async () => {
    await store.getKey(...header('first'));
    issuer.isFailing = true;
    clock += MAX_AGE_MS;
    await expect(store.getKey(...header('first'))).resolves.toBeDefined();
    // The refresh continues in the background. It must not be counted in the next test.
    while (issuer.requests < 2) await sleep(5);
  });

  it.each([
    ['no key', { keys: [] }],
    ['invalid keys', { keys: ['a', null, 1] }],
    ['something else', { error: 'try later' }],
    ['a list', []],
    ['nothing', null],
  ])('uses old keys while the issuer returns %s', async (_, answer) => {
    let served: unknown = { keys: issuer.keys };
    const failures: unknown[] = [];
    const flapping = new KeyStore({
      load: () => Promise.resolve(served as { keys: [] }),
      now: () => clock,
      onChange: () => (changes += 1),
      onFailure: (error) => failures.push(error),
    });
    await flapping.getKey(...header('first'));
    served = answer;
    for (let count = 0; count < 3; count += 1) {
      clock += MAX_AGE_MS;
      await expect(flapping.getKey(...header('first'))).resolves.toBeDefined();
      await sleep(1);
    }
    expect([changes, failures.length]).toEqual([0, 3]);
  });

  it.each([
    ['a shared secret', { kty: 'oct', kid: 'odd', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0' }],
    ['a curve that is not on the list', { kty: 'EC', crv: 'P-521', kid: 'odd', x: 'AA', y: 'AA' }],
    ['a point that is not on its curve', { kty: 'EC', crv: 'P-256', kid: 'odd', x: 'AAAA', y: 'AAAA' }],
    ['a key for something else', { kty: 'EC', crv: 'P-256', kid: 'odd', use: 'enc', x: 'AAAA', y: 'AAAA' }],
  ])('finds the right key next to %s', async (_, odd) => {
    const mixed = new KeyStore({ load: () => Promise.resolve({ keys: [odd, ...issuer.keys] }), now: () => clock });
    await expect(mixed.getKey(...header('first'))).resolves.toBeDefined();
    await expect(mixed.getKey(...header('odd'))).rejects.toThrow();
  });

  it('reports an unavailable dependency if it has never had a key', async () => {
    issuer.isFailing = true;
    await expect(store.getKey(...header('first'))).rejects.toMatchObject({
      code: 'dependency-unavailable',
      status: 503,
    });
  });
});
