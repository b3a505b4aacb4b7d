import fc from 'fast-check';
import type { Schema } from './openapi-reader.fixture.js';

/** Input that breaks careless servers: markup, quotes, control characters, traversal, long texts, extreme numbers. */
const NASTY = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  '\uffff',
  '../../etc/passwd',
  "' OR 1=1 --",
  '"; DROP TABLE entities; --',
  '<script>alert(1)</script>',
  '${jndi:ldap://a}',
  '%00',
  '%',
  '{{7*7}}',
  '__proto__',
  'constructor',
  '-1',
  '0',
  '1e309',
  '9223372036854775808',
  'NaN',
  'null',
  'true',
  '[]',
  '{}',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:60Z',
  '2026-02-30T00:00:00Z',
  '00000000-0000-0000-0000-000000000000',
  'W/"v1-testing"',
  '"v0-testing"',
  '"v999999999-testing"',
  '*',
  '*, *',
  'x'.repeat(201),
  'x'.repeat(5_000),
  '🫖'.repeat(201),
  '\r\nx-injected: 1',
];

export const hostileText = fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'binary' }));
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.constantFrom(null, true, 0, -0, 1e308, -1, [], {}),
  fc.jsonValue(),
  fc.record({ name: hostileText, attributes: fc.dictionary(hostileText, fc.jsonValue()) }, { requiredKeys: [] }),
  fc.record({ name: fc.constant('a'), attributes: fc.object() }),
);

/** Random values of a JSON Schema, as the document uses it. Boundary values are more likely. */
export function arbitraryFor(schema: Schema, document: Readonly<Record<string, unknown>>): fc.Arbitrary<unknown> {
  const inner = (part: unknown) => arbitraryFor(part as Schema, document);
  if (typeof schema['$ref'] === 'string') return inner(resolve(schema['$ref'], document));
  if (schema.examples) return fc.oneof(fc.constantFrom(...schema.examples), inner({ ...schema, examples: undefined }));
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]));
  if (schema['format'] === 'uuid') return fc.uuid({ version: [4, 7] });
  if (schema['format'] === 'date-time')
    return fc
      .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString());
  if (typeof schema['pattern'] === 'string') return fc.stringMatching(new RegExp(schema['pattern']));
  switch (schema['type']) {
    case 'string':
      return arbitraryText(schema);
    case 'integer':
      return fc.integer({ min: Number(schema['minimum'] ?? -1e6), max: Number(schema['maximum'] ?? 1e6) });
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(inner(schema['items'] ?? {}), { minLength: Number(schema['minItems'] ?? 0), maxLength: 5 });
    case 'object':
      return arbitraryObject(schema, inner);
    default:
      return fc.jsonValue({ noUnicodeString: false });
  }
}

function arbitraryText({ minLength = 0, maxLength = 1_000 }: Schema): fc.Arbitrary<string> {
  const [min, max] = [Number(minLength), Number(maxLength)];
  const boundaries = [min, max].map((length) => 'x'.repeat(length));
  return fc.oneof(fc.constantFrom(...boundaries), fc.string({ minLength: min, maxLength: Math.min(max, 50) }));
}

function arbitraryObject(schema: Schema, inner: (part: unknown) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const { properties, required, additionalProperties } = schema as {
    properties?: Record<string, unknown>;
    required?: string[];
    additionalProperties?: unknown;
  };
  if (!properties)
    return fc.dictionary(
      fc.string({ minLength: 1, maxLength: 20 }),
      additionalProperties ? inner(additionalProperties) : fc.jsonValue(),
      { maxKeys: 5 },
    );
  const model = Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, inner(part)]));
  return fc.record(model, { requiredKeys: required ?? [] });
}

function resolve(reference: string, document: Readonly<Record<string, unknown>>): unknown {
  return reference
    .slice(2)
    .split('/')
    .reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], document);
}
