import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { InjectOptions, Response } from 'light-my-request';
import { type Operation, type Parameter, readOperations, type Schema } from '../testing/openapi-reader.fixture.js';
import { arbitraryFor, hostileText, hostileValue } from '../testing/schema-arbitrary.fixture.js';
import { useTestApi } from '../testing/use-test-api.fixture.js';

jest.setTimeout(120_000);

const document = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')) as Record<
  string,
  unknown
>;
const RUNS = 60;
/** Not in the document: HEAD, which Fastify adds to each GET, OPTIONS for browsers, and the pages. */
const PAGES = /^(HEAD|OPTIONS) |\/(docs|openapi\.json)/;
/** Headers that servers commonly read. */
const HEADERS = [
  'accept',
  'authorization',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'if-match',
  'if-none-match',
  'origin',
  'range',
  'traceparent',
  'x-correlation-id',
  'x-forwarded-for',
  'x-http-method-override',
  'x-request-id',
];
/** NUL and halves of a surrogate pair, alone and within other text. */
const UNSTORABLE = ['\0', 'a\0b', '\ud800', 'a\udc00', '\udc00\ud800'];
/** A body with such a key is malformed, whatever else it has; random keys include these. */
const FORBIDDEN_KEY = /"(?:__proto__|constructor)":/;
/** Responses that each operation may return, but that no caller can cause. */
const FAULTS = [500, 503];
/** A stream does not end, and a signed request has its own specs. */
const plainOperations = readOperations(document).filter(({ isPlain }) => isPlain);

describe('openapi.json', () => {
  const api = useTestApi();
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, 'api');
  const validators = new Map<string, ValidateFunction>();
  let existing: { id: string };

  beforeAll(async () => {
    const created = await api.request({
      as: 'contract',
      method: 'POST',
      url: '/api/v1/entities',
      payload: { name: 'Kettle' },
    });
    existing = created.json();
  });

  it('describes exactly the routes that are served', () => {
    const described = readOperations(document).map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    const served = api.app.routes.list().filter((route) => route.includes('/api/v1/') && !PAGES.test(route));
    expect(described.map((route) => route.replaceAll(/\{(\w+)\}/g, ':$1')).sort()).toEqual(served);
  });

  it('gives examples that are valid against their schemas', () => {
    const wrong: string[] = [];
    forEachSchema(document, (schema, path) => {
      for (const example of schema.examples ?? [])
        if (!compile(schema)(example)) wrong.push(`${path}: ${JSON.stringify(example)}`);
    });
    expect(wrong).toEqual([]);
  });

  describe.each(plainOperations.map((operation) => [operation.id, operation] as const))('%s', (_, operation) => {
    it('responds to valid input as described', () =>
      drive(
        operation,
        requestFor(operation, (schema) => arbitraryFor(schema, document)),
        ({ statusCode }) => {
          expect([200, 201, 204, 304, 400, 403, 404, 409, 412, 415, 422, 428]).toContain(statusCode);
        },
      ));

    it('responds to hostile input as described, and never with an internal error', () =>
      drive(
        operation,
        requestFor(operation, () => hostileValue),
        () => undefined,
      ));

    it('responds to a hostile token and hostile headers as described', () =>
      drive(
        operation,
        requestFor(operation, (schema) => arbitraryFor(schema, document), { hasHostileHeaders: true }),
        () => undefined,
      ));
  });

  it.each([
    ['?name=a%00', '#/query/name'],
    ['?cursor=a%00', '#/query/cursor'],
    ['?sort=%00', '#/query/sort'],
    ['?a%00=1', '#/query/a%00'],
    ['/a%00', '#/path/id'],
  ])('rejects the address %s with a character that cannot be stored, as %s', async (address, pointer) => {
    const response = await api.request({ as: 'contract', url: `/api/v1/entities${address}` });
    const { errors } = response.json<{ errors: object[] }>();
    expect([response.statusCode, errors]).toEqual([
      422,
      expect.arrayContaining([{ pointer, detail: 'contains characters that cannot be stored' }]),
    ]);
  });

  describe.each(plainOperations.filter(({ body }) => body).map((operation) => [operation.id, operation] as const))(
    '%s',
    (_, operation) => {
      it.each(['value', 'key', 'list', 'top', 'path'] as const)(
        'rejects text that cannot be stored, and names its place: %s',
        (place) => {
          const valid = requestFor(operation, (schema) => arbitraryFor(schema, document)).filter(
            ({ payload }) => typeof payload !== 'string' || !FORBIDDEN_KEY.test(payload),
          );
          const property = fc.asyncProperty(valid, fc.constantFrom(...UNSTORABLE), async (request, text) => {
            const [planted, pointer] = plant(request, { place, text, path: operation.path });
            const response = await api.request({ as: 'contract', ...planted });
            assertDescribed(operation, response);
            expect(response.statusCode).toBe(422);
            expect(response.json<{ errors: { pointer: string }[] }>().errors.map((error) => error.pointer)).toContain(
              pointer,
            );
          });
          return fc.assert(property, { numRuns: 10 });
        },
      );
    },
  );

  function drive(
    operation: Operation,
    requests: fc.Arbitrary<InjectOptions>,
    check: (response: Response) => void,
  ): Promise<void> {
    const property = fc.asyncProperty(requests, async (request) => {
      const response = await api.request({ as: 'contract', ...request });
      assertDescribed(operation, response);
      expect(FAULTS).not.toContain(response.statusCode);
      check(response);
    });
    return fc.assert(property, { numRuns: RUNS });
  }

  function assertDescribed({ id, responses }: Operation, response: Response): void {
    const described = responses[response.statusCode];
    if (!described) throw new Error(`${id}: status ${response.statusCode} is not described: ${response.body}`);
    const [type = ''] = String(response.headers['content-type'] ?? '').split(';');
    const content = described.content?.[type];
    if (!described.content) return expect(response.body).toBe('');
    if (!content) throw new Error(`${id}: status ${response.statusCode} as ${type} is not described`);
    const validate = compile(content.schema);
    if (!validate(response.json())) throw new Error(`${id}: ${ajv.errorsText(validate.errors)} in ${response.body}`);
    for (const name of Object.keys(described.headers ?? {})) expect(response.headers).toHaveProperty(name);
  }

  function compile(schema: Schema): ValidateFunction {
    const text = JSON.stringify(schema).replaceAll('"#/', '"api#/');
    const known = validators.get(text) ?? ajv.compile(JSON.parse(text) as Schema);
    validators.set(text, known);
    return known;
  }

  type Choose = (schema: Schema) => fc.Arbitrary<unknown>;

  function requestFor(
    operation: Operation,
    choose: Choose,
    { hasHostileHeaders = false } = {},
  ): fc.Arbitrary<InjectOptions> {
    const valuesIn = (where: Parameter['in']) =>
      fc.record(
        Object.fromEntries(
          operation.parameters
            .filter((parameter) => parameter.in === where)
            .map(({ name, schema }) => [name, choose(schema)]),
        ),
        { requiredKeys: where === 'path' ? undefined : [] },
      ) as fc.Arbitrary<Record<string, unknown>>;
    const body = operation.body ? choose(operation.body) : fc.constant(undefined);
    const hostile = hasHostileHeaders
      ? fc.record(
          {
            ...Object.fromEntries(HEADERS.map((name) => [name, hostileText])),
          },
          { requiredKeys: [] },
        )
      : fc.constant({});
    return fc
      .record({
        path: valuesIn('path'),
        query: valuesIn('query'),
        header: valuesIn('header'),
        body,
        hostile,
        isExisting: fc.boolean(),
      })
      .map(({ path, query, header, body: payload, hostile: headers, isExisting }) => ({
        method: operation.method.toUpperCase(),
        url: fillPath(operation.path, isExisting ? { ...path, id: existing.id } : path) + formatQuery(query),
        headers: cleanHeaders({ ...header, ...headers }),
        ...(payload !== undefined && operation.body && formatBody(payload, headers)),
      }));
  }
});

/** A request with such a text at a place, and the pointer to it. A URL cannot contain half of a surrogate pair. */
function plant(
  request: InjectOptions,
  { place, text, path }: { place: string; text: string; path: string },
): [InjectOptions, string] {
  const encoded = encodeURIComponent(text.toWellFormed().replaceAll('\ufffd', '\0'));
  const url = (request.url as string).replace(/\?.*/, '');
  const [, parameter] = /\{(\w+)\}$/.exec(path) ?? [];
  if (place === 'path' && parameter !== undefined) {
    return [{ ...request, url: url.replace(/[^/]*$/, `a${encoded}`) }, `#/path/${parameter}`];
  }
  const name = encodeURIComponent(text.toWellFormed());
  const [attributes, pointer] = {
    key: [{ [`b${text}`]: 1 }, `#/attributes/b${name}`],
    list: [{ a: [0, { b: [text] }] }, '#/attributes/a/1/b/0'],
    top: [text, '#/attributes'],
  }[place] ?? [{ a: { b: text } }, '#/attributes/a/b'];
  return [{ ...request, ...formatBody({ attributes }, {}) }, pointer as string];
}

function fillPath(path: string, values: Readonly<Record<string, unknown>>): string {
  return path.replace(
    /\{(\w+)\}/g,
    (_, name: string) => encodeURIComponent(toText(values[name]).toWellFormed()) || 'x',
  );
}

function formatQuery(query: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(query).map(
    ([name, value]) =>
      `${name}=${encodeURIComponent((Array.isArray(value) ? value.map(toText).join(',') : toText(value)).toWellFormed())}`,
  );
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
}

function formatBody(payload: unknown, headers: object): InjectOptions {
  const type = 'content-type' in headers ? {} : { 'content-type': 'application/json' };
  return {
    payload: JSON.stringify(payload),
    headers: { ...cleanHeaders(headers as Record<string, unknown>), ...type },
  };
}

/** Removes control characters, which a client cannot send in a header. */
function cleanHeaders(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, toText(value).replaceAll(/[^\x20-\x7e]/g, '')]),
  );
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function forEachSchema(value: unknown, visit: (schema: Schema, path: string) => void, path = ''): void {
  if (typeof value !== 'object' || value === null) return;
  if ('examples' in value && Array.isArray(value.examples)) visit(value as Schema, path);
  for (const [key, inner] of Object.entries(value))
    if (key !== 'examples') forEachSchema(inner, visit, `${path}/${key}`);
}
