import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const document = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
};
const COMPONENT = '#/components/schemas/';
const { schemas } = document.components;

/**
 * Constructs that are valid OpenAPI but break client generators such as openapi-typescript and openapi-python-client.
 */
describe('openapi.json, read by a generator of clients,', () => {
  it('has no recursive schema', () => {
    const circles = Object.keys(schemas).filter((name) => reach(schemas[name]).has(name));
    expect(circles).toEqual([]);
  });

  it('refers only to its own schemas, all of which exist', () => {
    const missing = [...references(document)].filter((name) => !(name in schemas));
    expect(missing).toEqual([]);
  });

  it('has no unused schema', () => {
    const used = reach(document.paths);
    expect(Object.keys(schemas).filter((name) => !used.has(name))).toEqual([]);
  });

  it('gives each operation a unique name that is valid in code', () => {
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(ids.filter((id) => !/^[A-Za-z]\w*$/.test(id))).toEqual([]);
    expect(new Set(ids.map((id) => id.toLowerCase())).size).toBe(ids.length);
  });

  it('describes the items of every list and the members of every union', () => {
    const odd: string[] = [];
    forEach(document, (part, path) => {
      if (part['type'] === 'array' && typeof part['items'] !== 'object') odd.push(path);
      for (const key of ['anyOf', 'oneOf', 'allOf'])
        if (key in part && (part[key] as unknown[]).length < 2) odd.push(`${path}/${key}`);
    });
    expect(odd).toEqual([]);
  });
});

/** The names of all schemas that a part of the document refers to, directly or indirectly. */
function reach(part: unknown, known = new Set<string>()): Set<string> {
  for (const name of references(part)) {
    if (known.has(name)) continue;
    known.add(name);
    reach(schemas[name], known);
  }
  return known;
}

function references(part: unknown): Set<string> {
  const names = new Set<string>();
  forEach(part, ({ $ref }) => {
    if (typeof $ref === 'string') names.add($ref.startsWith(COMPONENT) ? $ref.slice(COMPONENT.length) : $ref);
  });
  return names;
}

function forEach(part: unknown, visit: (part: Record<string, unknown>, path: string) => void, path = ''): void {
  if (typeof part !== 'object' || part === null) return;
  if (!Array.isArray(part)) visit(part as Record<string, unknown>, path);
  for (const [key, inner] of Object.entries(part)) forEach(inner, visit, `${path}/${key}`);
}
