import { Secret } from '@airlock/config';
import { describe, expect, it } from '@jest/globals';
import { Keyring, type Place } from './keyring.js';

const [OLD, NEW] = ['an-old-key-of-the-tests-00000000000000', 'a-new-key-of-the-tests-000000000000000'];
const create = (...keys: string[]) => new Keyring(new Secret(keys.join(',')), 'testing');
const place: Place = ['tokens', 'user_1', 'acme', '1'];

describe('Keyring', () => {
  it('opens what it has sealed, and seals nothing twice alike', () => {
    const keyring = create(NEW);
    const sealed = keyring.seal({ accessToken: 'secret' }, place);
    expect(keyring.open(sealed, place)).toEqual({ accessToken: 'secret' });
    expect(sealed).not.toContain('secret');
    expect(keyring.seal({ accessToken: 'secret' }, place)).not.toBe(sealed);
  });

  it('opens with the previous key while it is listed, and seals with the first one', () => {
    const sealed = create(OLD).seal(1, place);
    const rotating = create(NEW, OLD);
    expect(rotating.open(sealed, place)).toBe(1);
    expect(sealed.startsWith(rotating.currentPrefix)).toBe(false);
    expect(create(NEW).open(rotating.seal(2, place), place)).toBe(2);
    expect(create(NEW).open(sealed, place)).toBeUndefined();
  });

  it.each<[string, Place]>([
    ['another purpose', ['proof', 'user_1', 'acme', '1']],
    ['another user', ['tokens', 'user_2', 'acme', '1']],
    ['another provider', ['tokens', 'user_1', 'other', '1']],
    ['another row', ['tokens', 'user_1', 'acme', '2']],
    ['the same words, joined otherwise', ['tokens', 'user_1', 'acme,1']],
  ])('does not open in the place of %s', (_, other) => {
    const keyring = create(NEW);
    expect(keyring.open(keyring.seal(1, place), other)).toBeUndefined();
  });

  it('does not open with the same key in another environment', () => {
    const sealed = create(NEW).seal(1, place);
    for (const environment of ['development', 'staging', 'production'] as const) {
      expect(new Keyring(new Secret(NEW), environment).open(sealed, place)).toBeUndefined();
    }
  });

  it('does not open a text of which one bit was changed, or that was cut', () => {
    const keyring = create(NEW);
    const sealed = keyring.seal('0123456789', place);
    const [id, text = ''] = sealed.split('.');
    const bytes = Buffer.from(text, 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(keyring.open(`${id}.${changed.toString('base64url')}`, place)).toBeUndefined();
      expect(keyring.open(`${id}.${bytes.subarray(0, at).toString('base64url')}`, place)).toBeUndefined();
    }
  });
});
