import { z } from 'zod';

export type JsonObject = Record<string, unknown>;

const DEFINITION = '#/$defs/';
const COMPONENT = '#/components/schemas/';

/** Converts zod schemas to JSON Schema 2020-12. Schemas with an id become components that others refer to. */
export class SchemaCollector {
  readonly all: Record<string, unknown>;

  constructor(known: JsonObject) {
    this.all = { ...known };
  }

  describe(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
    const { $schema, $defs = {}, ...rest } = z.toJSONSchema(schema, { io, override: applyOverride }) as JsonObject;
    void $schema;
    for (const [name, definition] of Object.entries($defs as JsonObject)) this.all[name] = refer(definition);
    return refer(rest) as JsonObject;
  }

  /** The schema itself, also if it has an id. */
  describeInline(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
    const { $ref, ...rest } = this.describe(schema, io);
    return typeof $ref === 'string' ? (this.all[$ref.slice(COMPONENT.length)] as JsonObject) : rest;
  }

  describeParameters(schema: z.ZodType | undefined, where: 'path' | 'query'): JsonObject[] {
    if (!schema) return [];
    const { properties = {}, required = [] } = this.describe(schema, 'input') as {
      properties?: Record<string, JsonObject>;
      required?: string[];
    };
    return Object.entries(properties).map(([name, { description, examples, ...rest }]) => ({
      name,
      in: where,
      required: required.includes(name),
      ...(description !== undefined && { description }),
      schema: { ...rest, ...(examples !== undefined && { examples }) },
    }));
  }
}

/** A schema can override its JSON Schema, for example a number that is sent as text in a query. */
function applyOverride({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: JsonObject }): void {
  const shown = z.globalRegistry.get(zodSchema)?.['openapi'] as JsonObject | undefined;
  if (!shown) return;
  for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
  Object.assign(jsonSchema, shown);
}

function refer(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(refer);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => [
      key,
      key === '$ref' && typeof inner === 'string' ? inner.replace(DEFINITION, COMPONENT) : refer(inner),
    ]),
  );
}
