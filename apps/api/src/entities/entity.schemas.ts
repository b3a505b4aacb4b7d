import { boundedText, cursor, id, jsonValue, limit, timestamp } from '@airlock/service';
import { z } from 'zod';

/** The schemas of requests and responses. The OpenAPI document, validation and types are derived from them. */
const NAME_LENGTH = 200;
const name = boundedText(1, NAME_LENGTH)
  .describe('The name that the owner chose.')
  .meta({ examples: ['Espresso machine'] });
const attributes: z.ZodType<Record<string, unknown>> = z
  .record(boundedText(1, 100), jsonValue)
  .describe('Any further data of the owner.')
  .meta({ examples: [{ colour: 'red', weightKg: 12.5 }] });

export const entitySchema = z
  .strictObject({
    id: z.uuidv7().describe('Sorts by time of creation.'),
    name,
    attributes,
    version: z.int32().min(1).describe('Increases by one with each change. The ETag contains it.'),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Entity' });

export const newEntitySchema = z.strictObject({ name, attributes: attributes.default({}) }).meta({ id: 'NewEntity' });

export const entityChangesSchema = z
  .strictObject({ name: name.optional(), attributes: attributes.optional() })
  .refine((changes) => Object.keys(changes).length > 0, 'must contain at least one field to change')
  .meta({ id: 'EntityChanges', minProperties: 1 });

export const entityPageSchema = z
  .strictObject({ items: z.array(entitySchema), nextCursor: z.string().nullable().describe('Null on the last page.') })
  .meta({ id: 'EntityPage' });

export const entityListSchema = z.strictObject({
  limit,
  cursor: cursor(NAME_LENGTH),
  sort: z.enum(['createdAt', '-createdAt', 'name', '-name']).default('-createdAt').describe('A `-` means descending.'),
  name: name.optional().describe('Only records with exactly this name.'),
  createdFrom: timestamp.optional().describe('Only records created at this time or later.'),
  createdBefore: timestamp.optional().describe('Only records created before this time.'),
});

export const entityIdSchema = z.strictObject({ id });

export type Entity = z.output<typeof entitySchema>;
export type NewEntity = z.output<typeof newEntitySchema>;
export type EntityChanges = z.output<typeof entityChangesSchema>;
export type EntityPage = z.output<typeof entityPageSchema>;
export type EntityList = z.output<typeof entityListSchema>;
