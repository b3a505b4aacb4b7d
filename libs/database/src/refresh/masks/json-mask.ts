import type { JsonMask } from '../../model/column-classes.js';
import type { KeyedHash } from './keyed-hash.js';
import type { ValueMask } from './mask.js';
import { createIdentifierMask, createTextMask } from './text-masks.js';
import { createTypeMask } from './type-masks.js';

type Rule = 'keep' | ((text: string) => string);
const FREE = { base: 'text', isArray: false, maxLength: undefined, labels: [], isUnique: false, hasScale: false };

/** Only properties with a path pass, so that a new one in a document never leaks. */
export function createJsonMask(hash: KeyedHash, { paths }: JsonMask): ValueMask {
  const number = createTypeMask(hash, { ...FREE, base: 'numeric' });
  const rules = new Map(Object.entries(paths).map(([path, rule]) => [path, createRule(hash, rule)]));
  const parents = new Set([...rules.keys()].flatMap(listParents));
  const walk = (value: unknown, path: string): unknown => {
    const rule = rules.get(path);
    if (rule === 'keep') return value;
    if (rule === undefined && !parents.has(path)) return undefined;
    if (Array.isArray(value)) return value.map((one) => walk(one, path)).filter((one) => one !== undefined);
    if (typeof value === 'object' && value !== null) return parents.has(path) ? walkProperties(value, path) : undefined;
    if (rule === undefined) return undefined;
    return maskLeaf(value, rule, number);
  };
  const walkProperties = (value: object, path: string) =>
    Object.fromEntries(
      Object.entries(value).flatMap(([name, inner]) => {
        const masked = walk(inner, path === '' ? name : `${path}.${name}`);
        return masked === undefined ? [] : [[name, masked]];
      }),
    );
  return ({ value }) => {
    const root: unknown = JSON.parse(value);
    if (Array.isArray(root)) return JSON.stringify(walk(root, '') ?? []);
    return typeof root === 'object' && root !== null ? JSON.stringify(walkProperties(root, '')) : 'null';
  };
}

function maskLeaf(value: unknown, rule: (text: string) => string, number: ValueMask): unknown {
  if (typeof value === 'string') return rule(value);
  if (typeof value === 'number') return Number(number({ value: String(value), person: '', attempt: 0 }));
  return typeof value === 'boolean' ? false : value;
}

function createRule(hash: KeyedHash, rule: JsonMask['paths'][string]): Rule {
  if (rule === 'keep') return rule;
  const mask = typeof rule === 'string' ? createTextMask(hash, rule, FREE) : createIdentifierMask(hash, rule, FREE);
  return (value) => mask({ value, person: '', attempt: 0 });
}

/** `a.b.c` has the parents `a.b`, `a` and the root. */
function listParents(path: string): string[] {
  const names = path.split('.');
  return names.map((_, count) => names.slice(0, count).join('.'));
}
