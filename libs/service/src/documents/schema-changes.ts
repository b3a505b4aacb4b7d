export type Json = Readonly<Record<string, unknown>>;

/** A stricter schema breaks clients that send values. A looser schema breaks clients that receive values. */
export type Direction = 'sent' | 'received';

export interface Comparison {
  readonly where: string;
  readonly direction: Direction;
  readonly before: Json;
  readonly after: Json;
  /** Pairs of references that are being compared, because schemas may be recursive. */
  readonly seen?: ReadonlySet<string>;
}

const MINIMA = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];
const MAXIMA = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];
const SHAPES = ['pattern', 'format', 'const', 'multipleOf'];
const ALL_TYPES = ['array', 'boolean', 'null', 'number', 'object', 'string'];

export function compareSchemas(comparison: Comparison, givenOld: Json, givenNow: Json): string[] {
  const pair = `${refOf(givenOld)} ${refOf(givenNow)}`;
  if (pair !== ' ' && comparison.seen?.has(pair)) return [];
  const inner = { ...comparison, seen: new Set([...(comparison.seen ?? []), pair]) };
  const [old, now] = [resolve(givenOld, comparison.before), resolve(givenNow, comparison.after)];
  return [
    ...compareTypes(inner, old, now),
    ...compareValues(inner, old, now),
    ...(inner.direction === 'sent' ? compareLimits(inner, old, now) : []),
    ...compareFields(inner, old, now),
    ...compareMembers(inner, old, now),
  ];
}

function compareTypes({ where, direction }: Comparison, old: Json, now: Json): string[] {
  const [before, after] = [typesOf(old), typesOf(now)];
  const [smaller, larger] = direction === 'sent' ? [after, before] : [before, after];
  const beyond = larger.filter((type) => !covers(smaller, type));
  const verb = direction === 'sent' ? 'may no longer be' : 'may now be';
  return beyond.map((type) => `${where} ${verb} ${type}`);
}

/** Removing an enum value breaks clients in both directions. Adding one does not: clients must expect new values. */
function compareValues({ where, direction }: Comparison, old: Json, now: Json): string[] {
  const [before, after] = [listOf(old, 'enum'), listOf(now, 'enum')];
  if (!before && after && direction === 'sent') return [`${where} now accepts only some values`];
  return (before ?? [])
    .filter((value) => after && !after.includes(value))
    .map((value) => `${where} no longer allows ${value}`);
}

function compareLimits({ where }: Comparison, old: Json, now: Json): string[] {
  const isTighter = (key: string, worst: number, sign: number) =>
    key in now && sign * Number(now[key]) > sign * Number(old[key] ?? worst);
  const tighter = [
    ...MINIMA.filter((key) => isTighter(key, -Infinity, 1)),
    ...MAXIMA.filter((key) => isTighter(key, Infinity, -1)),
    ...SHAPES.filter((key) => key in now && now[key] !== old[key]),
  ];
  return tighter.map((key) => `${where} has a stricter ${key}`);
}

function compareFields(comparison: Comparison, old: Json, now: Json): string[] {
  const { where, direction } = comparison;
  const [before, after] = [childOf(old, 'properties'), childOf(now, 'properties')];
  const [required, demanded] = [listOf(old, 'required') ?? [], listOf(now, 'required') ?? []];
  const isKnown = (name: string) => name in after;
  return [
    ...Object.keys(before).flatMap((name) => (isKnown(name) ? [] : [`${where}.${name} is gone`])),
    ...(direction === 'sent'
      ? demanded.filter((name) => !required.includes(name)).map((name) => `${where}.${name} is now required`)
      : required
          .filter((name) => isKnown(name) && !demanded.includes(name))
          .map((name) => `${where}.${name} may now be missing`)),
    ...(direction === 'sent' &&
    now['additionalProperties'] === false &&
    old['additionalProperties'] !== false &&
    'properties' in old
      ? [`${where} now rejects unknown fields`]
      : []),
    ...Object.entries(before)
      .filter(([name]) => isKnown(name))
      .flatMap(([name, schema]) =>
        compareSchemas({ ...comparison, where: `${where}.${name}` }, schema as Json, after[name] as Json),
      ),
  ];
}

function compareMembers(comparison: Comparison, old: Json, now: Json): string[] {
  const [items, others] = [
    [old['items'], now['items']],
    [old['additionalProperties'], now['additionalProperties']],
  ];
  return [
    ...compareIfBoth({ ...comparison, where: `${comparison.where}[]` }, items),
    ...compareIfBoth({ ...comparison, where: `${comparison.where}.*` }, others),
  ];
}

function compareIfBoth(comparison: Comparison, [old, now]: readonly unknown[]): string[] {
  const isSchema = (value: unknown): value is Json => typeof value === 'object' && value !== null;
  return isSchema(old) && isSchema(now) ? compareSchemas(comparison, old, now) : [];
}

/** Every type if the schema names none. For alternatives, the types of all of them. */
function typesOf(schema: Json): string[] {
  const alternatives = (schema['anyOf'] ?? schema['oneOf']) as Json[] | undefined;
  if (alternatives) return [...new Set(alternatives.flatMap(typesOf))];
  if (schema['type'] === undefined) return ALL_TYPES;
  return [schema['type']].flat().map(String);
}

function covers(types: readonly string[], type: string): boolean {
  return types.includes(type) || (type === 'integer' && types.includes('number'));
}

function resolve(schema: Json, document: Json): Json {
  const reference = refOf(schema);
  if (reference === '') return schema;
  const parts = reference.slice(2).split('/');
  return parts.reduce<Json>((part, key) => childOf(part, key), document);
}

function refOf(schema: Json): string {
  return typeof schema['$ref'] === 'string' ? schema['$ref'] : '';
}

function childOf(value: Json, key: string): Json {
  return (value[key] as Json | undefined) ?? {};
}

function listOf(value: Json, key: string): string[] | undefined {
  return value[key] as string[] | undefined;
}
