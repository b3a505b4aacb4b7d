import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { constant, identifier, json, type Mask, person } from '../../model/column-classes.js';
import { decodeCopyText, encodeCopyText } from '../copy-text.js';
import { maskArray } from './array-text.js';
import { createMask } from './create-mask.js';
import { KeyedHash, toBytes } from './keyed-hash.js';
import type { MaskedType } from './mask.js';
import { DigitPermuter } from './permute-digits.js';

const hash = new KeyedHash('a secret of the pair', 'production to staging');
const type = (base: string, more: Partial<MaskedType> = {}): MaskedType => ({
  ...{ base, isArray: false, maxLength: undefined, labels: [], isUnique: false, hasScale: true },
  ...more,
});
const maskWith = (mask: Mask, of: MaskedType, person = 'user_1') => {
  const made = createMask(hash, mask, of);
  return (value: string) => made(value, person, 0);
};

describe('KeyedHash', () => {
  it.each(['', 'short', 'ü€😀', 'x'.repeat(100_000)])('is HMAC-SHA256, for a text of any length', (text) => {
    const key = createHmac('sha256', 'a secret of the pair').update('refresh production to staging').digest();
    expect(toBytes(hash.digest('p', text, 2))).toEqual(createHmac('sha256', key).update(`p\0${2}\0${text}`).digest());
  });

  it('gives other bytes for another secret, pair, purpose and attempt', () => {
    const all = [
      hash.digest('a', 'v'),
      hash.digest('a', 'v', 1),
      hash.digest('b', 'v'),
      new KeyedHash('another', 'production to staging').digest('a', 'v'),
      new KeyedHash('a secret of the pair', 'x to y').digest('a', 'v'),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('DigitPermuter', () => {
  const permuter = new DigitPermuter(hash);

  it.each([
    [1, 10],
    [2, 90],
    [3, 900],
    [4, 9000],
  ])('maps all numbers of %i digits to each other, none to itself and no two to the same', (digits, count) => {
    const first = digits === 1 ? 0 : 10 ** (digits - 1);
    const numbers = Array.from({ length: count }, (_, index) => String(first + index));
    const masked = numbers.map((number) => permuter.permute(number, 10n ** 20n));
    expect([...masked].sort()).toEqual([...numbers].sort());
    expect(masked.filter((number, index) => number === numbers[index])).toEqual([]);
  });

  it.each([5, 8, 11, 16, 19, 24, 28, 40])('keeps 2,000 numbers of %i digits apart, and their length', (digits) => {
    const numbers = Array.from({ length: 2000 }, (_, index) => `1${String(index).padStart(digits - 1, '0')}`);
    const masked = numbers.map((number) => permuter.permute(number, 10n ** 60n));
    expect(new Set(masked).size).toBe(numbers.length);
    expect(masked.every((number) => number.length === digits && !number.startsWith('0'))).toBe(true);
  });

  it.each([[32_767n], [2n ** 31n - 1n], [2n ** 63n - 1n]])('stays within a type whose largest number is %s', (most) => {
    const text = String(most);
    for (let index = 0n; index < 500n; index += 1n) {
      const masked = BigInt(permuter.permute(String(most - index), most));
      expect([masked <= most, String(masked).length]).toEqual([true, text.length]);
    }
  });
});

describe('a mask', () => {
  const COUNT = 20_000;
  it.each<[string, Mask, MaskedType, (n: number) => string]>([
    ['uuid', 'type', type('uuid', { isUnique: true }), (n) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`],
    ['int4', 'type', type('int4', { isUnique: true }), String],
    ['numeric', 'type', type('numeric', { isUnique: true }), (n) => (n / 100).toFixed(2)],
    ['email', 'email', type('citext', { isUnique: true }), (n) => `p${n}@corp.com`],
    ['email in 25 characters', 'email', type('varchar', { isUnique: true, maxLength: 25 }), (n) => `p${n}@corp.com`],
    ['name', 'name', type('text', { isUnique: true }), (n) => `Jane ${n}`],
    ['text in 13 characters', 'text', type('varchar', { isUnique: true, maxLength: 13 }), (n) => `t ${n}`],
    ['identifier', identifier('a_'), type('varchar', { isUnique: true, maxLength: 15 }), (n) => `a${n}`],
    ['bytea', 'type', type('bytea', { isUnique: true }), (n) => `\\x${n.toString(16).padStart(6, '0')}`],
    ['money', 'type', type('money', { isUnique: true }), (n) => `$${(n / 100).toFixed(2)}`],
    ['bit', 'type', type('bit', { isUnique: true }), (n) => n.toString(2).padStart(16, '0')],
    ['varbit', 'type', type('varbit', { isUnique: true }), (n) => n.toString(2)],
    ['long bits', 'type', type('varbit', { isUnique: true }), (n) => n.toString(2).padStart(200, '0')],
    ['inet', 'type', type('inet', { isUnique: true }), (n) => `10.0.${Math.floor(n / 250)}.${n % 250}`],
    ['ltree', 'type', type('ltree', { isUnique: true }), (n) => `top.l${n}`],
  ])('of unique %s keeps every value apart, is the same each time and never the value', (_, mask, of, valueOf) => {
    const [once, again] = [maskWith(mask, of), maskWith(mask, of)];
    const values = Array.from({ length: COUNT }, (_, n) => valueOf(n));
    const masked = values.map(once);
    expect(new Set(masked).size).toBe(COUNT);
    expect(masked.slice(0, 100)).toEqual(values.slice(0, 100).map(again));
    expect(masked.some((value, index) => value === values[index])).toBe(false);
    if (of.maxLength) expect(Math.max(...masked.map(({ length }) => length))).toBeLessThanOrEqual(of.maxLength);
  });

  it('ignores the case of citext, the blanks of char and the case of a uuid', () => {
    expect(maskWith('email', type('citext'))('A@B.com')).toBe(maskWith('email', type('citext'))('a@b.COM'));
    expect(maskWith('text', type('bpchar', { maxLength: 20 }))('ab   ')).toBe(
      maskWith('text', type('bpchar', { maxLength: 20 }))('ab'),
    );
  });

  it('shifts the dates of a person by the same days, into the past', () => {
    const [born, seen] = [maskWith('type', type('date'))('2000-03-01'), maskWith('type', type('date'))('2000-03-11')];
    expect(Date.parse(seen) - Date.parse(born)).toBe(10 * 86_400_000);
    expect(born < '2000-03-01').toBe(true);
    expect(maskWith('type', type('date'), 'user_2')('2000-03-01')).not.toBe(born);
    expect(maskWith('type', type('timestamptz'))('infinity')).toBe('infinity');
    expect(maskWith('type', type('timestamptz'))('0044-03-15 00:00:00+00 BC')).toBe('1970-01-01');
    expect(maskWith('type', type('timestamptz'))('2020-01-01 10:00:00.5+00')).toMatch(
      /^20(18|19)-\d\d-\d\d \d\d:\d\d:\d\d\.5\+00$/,
    );
  });

  it('keeps signs, decimals and exponents of numbers', () => {
    expect(maskWith('type', type('numeric'))('-12.50')).toMatch(/^-\d\d\.\d\d$/);
    expect(maskWith('type', type('numeric'))('0.05')).toMatch(/^0\.0\d$/);
    expect(maskWith('type', type('float8'))('1.5e-07')).toMatch(/^\d\.\de-07$/);
    expect(maskWith('type', type('int2'))('-32768')).toMatch(/^-[12345]\d{4}$/);
  });

  const range = (subtype: string) => maskWith('type', type('range', { subtype }));
  it('moves both ends of a range by the same, within its type, and leaves open ends open', () => {
    expect(range('int4')('[2147483600,2147483647)')).toMatch(/^\["-?\d+","-?\d+"\)$/);
    for (const [subtype, value, length] of [
      ['int4', '[2147483600,2147483647)', 47n],
      ['int4', '[-2147483648,-2147483600)', 48n],
      ['int8', '[9223372036854775000,9223372036854775807)', 807n],
    ] as const) {
      const [low = 0n, high = 0n] = (range(subtype)(value).match(/-?\d+/g) ?? []).map(BigInt);
      const most = subtype === 'int4' ? 2n ** 31n : 2n ** 63n;
      expect([high - low, high < most, low >= -most]).toEqual([length, true, true]);
    }
    expect(range('numeric')('[-0.05,1.25]')).toMatch(/^\["\d+\.95","\d+\.25"\]$/);
    expect(range('date')('{[2020-01-01,2020-01-05),[2020-02-01,)}')).toMatch(
      /^\{\["(2018|2019)-\d\d-\d\d","[\d-]+"\),\["[\d-]+",\)\}$/,
    );
    for (const value of ['empty', '(,)', '{}', '[,infinity)'])
      expect(range('timestamp')(value)).toBe(value.replace('infinity', '"infinity"'));
    expect(range('date')('["0044-03-15 BC",2020-01-01)')).toBe('empty');
  });

  it('gives an interval other numbers of the same units, and a valid time', () => {
    const mask = maskWith('type', type('interval'));
    expect(mask('3 years 2 mons -14 days')).toMatch(/^\d years \d mons -\d\d days$/);
    expect(mask('-1 days +23:59:59.25')).toMatch(/^-\d days \+\d\d:[0-5]\d:[0-5]\d\.25$/);
    expect(mask('00:00:00')).toMatch(/^0[1-9]:[0-5]\d:[0-5]\d$/);
  });

  it('lets only listed paths of a document through', () => {
    const mask = maskWith(json({ 'a.keep': 'keep', 'a.mail': 'email', list: person('u_'), n: 'text' }), type('jsonb'));
    const value = {
      a: { keep: [1, { x: 1 }], mail: 'me@corp.com', no: 1 },
      list: ['user', null],
      n: 77,
      b: true,
      no: [{ keep: 1 }],
    };
    expect(JSON.parse(mask(JSON.stringify(value)))).toEqual({
      a: { keep: [1, { x: 1 }], mail: expect.stringMatching(/@example\.org$/) },
      list: [expect.stringMatching(/^u_/), null],
      n: expect.any(Number),
    });
    expect(JSON.parse(mask('{"__proto__": {"a": 1}, "constructor": "x"}'))).toEqual({});
    expect(['"text"', '7', 'null', '[1, "x"]'].map(mask)).toEqual(['null', 'null', 'null', '[]']);
  });

  it('keeps every digit of a kept number, and masks a long one', () => {
    const mask = maskWith(json({ keep: 'keep', n: 'text' }), type('jsonb'));
    const kept = '{"keep":{"id":1234567890123456789,"of":[0.12345678901234567891,1e400,-0,1.50]}}';
    expect(mask(kept)).toBe(kept);
    expect(mask('{"n":1234567890123456789}')).toMatch(/^\{"n":\d{19}\}$/);
    expect(mask('{"n":1234567890123456789}')).not.toContain('1234567890123456789');
  });

  it.each<[string, Mask, MaskedType, RegExp]>([
    ['no mask of text', 'type', type('text'), /is text; expected personal\('text'\)/],
    ['no rule for a document', 'type', type('jsonb'), /expected personal\(json\(/],
    ['a type without a mask', 'type', type('tsvector'), /is tsvector, which has no mask/],
    ['a document with any keys', 'type', type('hstore'), /is hstore, which has no mask, because its keys/],
    ['xml', 'type', type('xml'), /is xml, which has no mask, because any of its parts/],
    ['a line', 'type', type('line'), /is line, which has no mask, because other numbers/],
    ['an array of boxes', 'type', type('box', { isArray: true }), /is an array of boxes/],
    ['a range of texts', 'type', type('textrange', { subtype: 'text' }), /is textrange, which has no mask/],
    ['a unique range', 'type', type('int4range', { subtype: 'int4', isUnique: true }), /is part of a unique key/],
    ['a unique interval', 'type', type('interval', { isUnique: true }), /is part of a unique key/],
    ['a unique network', 'type', type('cidr', { isUnique: true }), /is part of a unique key/],
    ['a unique hardware address', 'type', type('macaddr', { isUnique: true }), /is part of a unique key/],
    ['a unique time', 'type', type('time', { isUnique: true }), /is part of a unique key/],
    ['a name for a number', 'name', type('int4'), /is int4; expected text for 'name'/],
    ['a short column', 'email', type('varchar', { maxLength: 20 }), /holds 20 characters; expected at least 25/],
    [
      'a short unique text',
      'text',
      type('varchar', { maxLength: 9, isUnique: true }),
      /holds 9 characters; expected at least 13/,
    ],
    ['a unique date', 'type', type('date', { isUnique: true }), /is part of a unique key/],
    ['a unique phone number', 'phone', type('text', { isUnique: true }), /is part of a unique key/],
    ['a unique constant', constant('x'), type('text', { isUnique: true }), /is part of a unique key/],
    ['a unique enum', 'type', type('mood', { labels: ['a', 'b'], isUnique: true }), /is part of a unique key/],
    ['a unique array', 'text', type('text', { isArray: true, isUnique: true }), /is an array in a unique key/],
  ])('is refused for %s', (_, mask, of, said) => {
    expect(() => createMask(hash, mask, of)).toThrow(said);
  });
});

describe('maskArray', () => {
  it.each([
    ['{}', '{}'],
    ['{a,NULL,"NULL"}', '{"<a>",NULL,"<NULL>"}'],
    ['{{a,"b c"},{"d,}",NULL}}', '{{"<a>","<b c>"},{"<d,}>",NULL}}'],
    ['{"q\\"uo\\\\te"}', '{"<q\\"uo\\\\te>"}'],
    ['[2:3]={a,b}', '[2:3]={"<a>","<b>"}'],
  ])('masks each element of %s', (text, expected) => {
    expect(maskArray(text, (element) => `<${element}>`)).toBe(expected);
  });
});

describe('the text format of COPY', () => {
  it.each(['', 'plain', 'a\tb\nc\\d\re\bf\fg\v', '\\N', '\\.', '€😀'])('round-trips %j', (value) => {
    expect(decodeCopyText(encodeCopyText(value))).toBe(value);
    expect(encodeCopyText(value)).not.toMatch(/[\t\n]/);
  });
});
