import { format, inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { Secret } from './secret-value.js';

const TEXT = 'canary-7f3a';

describe('Secret', () => {
  const secret = new Secret(TEXT);
  const holder = { deep: { list: [secret], map: new Map([[secret, secret]]) } };
  const printed: Record<string, () => string> = {
    'String()': () => String(secret),
    'a template literal': () => `${secret as unknown as string}`,
    concatenation: () => '' + (secret as unknown as string),
    'JSON.stringify': () => JSON.stringify({ secret }),
    'util.inspect': () => inspect(secret),
    'util.inspect of what holds it': () => inspect(holder, { depth: null, showHidden: true, showProxy: true }),
    'util.inspect without custom inspection': () =>
      inspect(holder, { depth: null, showHidden: true, customInspect: false }),
    'util.format': () => format('%s %o %O %j', secret, secret, secret, secret),
    'an error message': () => new Error(`failed with ${String(secret)}`, { cause: secret }).stack ?? '',
    'an inspected error': () => inspect(Object.assign(new Error('x', { cause: secret }), { secret })),
    'keys and values': () =>
      JSON.stringify([Object.keys(secret), Object.entries(secret), Reflect.ownKeys(secret).map(String)]),
    spread: () => inspect({ ...secret }),
    'Object.assign': () => inspect(Object.assign({}, secret)),
    structuredClone: () => inspect(structuredClone({ ...secret })),
    'property descriptors': () => inspect(Object.getOwnPropertyDescriptors(secret), { showHidden: true }),
    URLSearchParams: () => String(new URLSearchParams({ secret: String(secret) })),
    'a log line': () => logLine({ secret, holder, err: Object.assign(new Error('x'), { secret }) }),
  };

  it.each(Object.entries(printed))('is not shown by %s', (_, print) => {
    expect(print()).not.toContain(TEXT);
  });

  it.each(['String()', 'a template literal', 'JSON.stringify', 'util.inspect', 'a log line'])(
    'is shown as [redacted] by %s',
    (way) => {
      expect(printed[way]?.()).toContain('[redacted]');
    },
  );

  it('is returned only by reveal', () => {
    expect(secret.reveal()).toBe(TEXT);
  });

  it('can be compared without being revealed', () => {
    expect(secret.equals(new Secret(TEXT))).toBe(true);
    expect(secret.equals(new Secret('other'))).toBe(false);
  });

  it('cannot be changed', () => {
    expect(Object.isFrozen(secret)).toBe(true);
    expect(() => Object.assign(secret, { reveal: () => 'mine' })).toThrow(TypeError);
  });
});

function logLine(fields: object): string {
  const lines: string[] = [];
  pino({}, { write: (line: string) => lines.push(line) }).info(fields, 'a line');
  return lines.join('');
}
