import type { JsonMask } from '../../model/column-classes.js';
import type { KeyedHash } from './keyed-hash.js';
import type { ValueMask } from './mask.js';
import { createIdentifierMask, createTextMask } from './text-masks.js';
import { createTypeMask } from './type-masks.js';

/** A place in a document: what becomes of its value, and of the properties below it. */
interface Node {
  rule?: 'keep' | ValueMask;
  readonly inner: Map<string, Node>;
}

const FREE = { base: 'text', isArray: false, maxLength: undefined, labels: [], isUnique: false, hasScale: false };

/** Only properties with a path pass, so that a new one in a document never leaks. */
export function createJsonMask(hash: KeyedHash, { paths }: JsonMask): ValueMask {
  const number = createTypeMask(hash, { ...FREE, base: 'numeric' });
  const root: Node = { inner: new Map() };
  for (const [path, rule] of Object.entries(paths)) createNode(root, path).rule = createRule(hash, rule);
  const mask = (value: unknown, node: Node): unknown => {
    if (node.rule === 'keep') return value;
    if (JSON.isRawJSON(value)) return mask(Number(value.rawJSON), node);
    if (Array.isArray(value)) return value.map((one) => mask(one, node)).filter((one) => one !== undefined);
    if (typeof value === 'object' && value !== null)
      return node.inner.size > 0 || node === root ? maskProperties(value as Record<string, unknown>, node) : undefined;
    return node.rule && maskLeaf(value, node.rule, number);
  };
  const maskProperties = (value: Record<string, unknown>, node: Node) => {
    const masked = Object.create(null) as Record<string, unknown>;
    for (const name of Object.keys(value)) {
      const inner = node.inner.get(name);
      const kept = inner && mask(value[name], inner);
      if (kept !== undefined) masked[name] = kept;
    }
    return masked;
  };
  return (text) => JSON.stringify(mask(parse(text), root) ?? null);
}

/** More digits than JavaScript keeps, or an exponent. */
const MAY_BE_ROUNDED = /\d(\.?\d){15}|\d[eE]/;

/** A kept number stays what it is, such as an id of 19 digits. */
function parse(text: string): unknown {
  return MAY_BE_ROUNDED.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
}

function keepDigits(this: unknown, _: string, value: unknown, { source }: { source?: string } = {}): unknown {
  return typeof value === 'number' && source !== undefined && String(value) !== source ? JSON.rawJSON(source) : value;
}

declare global {
  /** Of ECMAScript 2026, which the compiler does not declare yet. */
  interface JSON {
    parse(
      text: string,
      reviver: (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown,
    ): unknown;
    rawJSON(text: string): object;
    isRawJSON(value: unknown): value is { readonly rawJSON: string };
  }
}

function createNode(root: Node, path: string): Node {
  return path.split('.').reduce((node, name) => {
    const inner = node.inner.get(name) ?? { inner: new Map<string, Node>() };
    node.inner.set(name, inner);
    return inner;
  }, root);
}

function maskLeaf(value: unknown, rule: ValueMask, number: ValueMask): unknown {
  if (typeof value === 'string') return rule(value, '', 0);
  if (typeof value === 'number') return Number(number(String(value), '', 0));
  return typeof value === 'boolean' ? false : value;
}

function createRule(hash: KeyedHash, rule: JsonMask['paths'][string]): Node['rule'] {
  if (rule === 'keep') return rule;
  return typeof rule === 'string' ? createTextMask(hash, rule, FREE) : createIdentifierMask(hash, rule, FREE);
}
