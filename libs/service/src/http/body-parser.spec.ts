import { describe, expect, it } from '@jest/globals';
import { parseBody } from './body-parser.js';

const nest = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('parseBody', () => {
  it('reads JSON', () => {
    expect(parseBody('{"name":"a","attributes":{"x":[1,null,true]}}')).toEqual({
      name: 'a',
      attributes: { x: [1, null, true] },
    });
  });

  it('treats an empty body as no body', () => {
    expect(parseBody('')).toBeUndefined();
  });

  it.each([
    ['text that is not JSON', '{', 'malformed-request'],
    ['a key that names the prototype', '{"a":{"__proto__":{"isAdmin":true}}}', 'malformed-request'],
    ['an escaped key that names the prototype', '{"\\u005f_proto__":1}', 'malformed-request'],
    [
      'a key that reaches it through the constructor',
      '{"constructor":{"prototype":{"isAdmin":true}}}',
      'malformed-request',
    ],
    ['depth beyond the limit', nest(17), 'body-too-large'],
    ['depth that would exhaust a recursive check', nest(100_000), 'body-too-large'],
    ['a list beyond the limit', JSON.stringify(Array(1_001).fill(0)), 'body-too-large'],
    [
      'an object beyond the limit',
      JSON.stringify(Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [i, i]))),
      'body-too-large',
    ],
  ])('refuses %s', (_, text, code) => {
    expect(() => parseBody(text)).toThrow(expect.objectContaining({ code }));
  });

  it.each([nest(16), JSON.stringify(Array(1_000).fill(0))])('accepts a body at the limits', (text) => {
    expect(() => parseBody(text)).not.toThrow();
  });
});
